//! The text of a message about an event. All channels get the same text.
//!
//! The text holds what visitors wrote. It must not ping anybody, imitate one of our lines, or hide where a link leads.

use twt_chat_webhooks::{Content, Event, UnrepliedContent};

/// Returns a text for each item of a documented event, or one text that names an unknown event. [`plain`] removes the
/// mentions that a visitor wrote. The channel then escapes the text in its own way.
pub(super) fn texts(event: &Event) -> Vec<String> {
    match event {
        Event::Unreplied(messages) => messages
            .iter()
            .map(|message| text("Visitor message not replied", Some(&waiting(message)), message))
            .collect(),
        Event::PreChatFormSubmit(forms) => forms.iter().map(|form| text("Pre-chat form", None, form)).collect(),
        Event::OfflineFormSubmit(forms) => forms.iter().map(|form| text("Offline form", None, form)).collect(),
        _ => vec![format!("Unknown event: {}", line(event.name()))],
    }
}

/// Builds the text about one item. The visitor's message comes last, because a text that is too long is cut at its end.
fn text(title: &str, waiting: Option<&str>, content: &dyn Content) -> String {
    let visitor = match content.visitor_nickname() {
        Some(nickname) => format!("{} ({})", line(content.visitor_name()), line(nickname)),
        None => line(content.visitor_name()),
    };
    let mut lines =
        vec![title.into(), format!("Project: {}", line(content.property_name())), format!("Visitor: {visitor}")];
    lines.extend(content.sbs().map(|customer| format!("Customer: {}", line(customer))));
    lines.extend(waiting.map(|waiting| format!("Waiting: {waiting}")));
    lines.push(format!("Agent: {}", line(content.assigned_agent_nickname().unwrap_or("none"))));
    // A bar in front of each line shows that the visitor wrote this line.
    lines.extend(plain(content.message_content()).lines().map(|line| format!("| {line}")));
    lines.join("\n")
}

fn waiting(message: &UnrepliedContent) -> String {
    let (minutes, seconds) = (message.time_sec / 60, message.time_sec % 60);
    let time = match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {seconds} s"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    };
    format!("{time}, push {} of {}", message.push_times, UnrepliedContent::MAX_PUSH_TIMES)
}

/// Puts a name into one line, and cuts a long name so that there is room for the message.
fn line(name: &str) -> String {
    const LONGEST: usize = 64;

    let name = plain(name).replace('\n', " ");
    match name.char_indices().nth(LONGEST) {
        None => name,
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
    }
}

/// Removes the mentions from a text, and the invisible characters that change how a text is shown.
fn plain(text: &str) -> String {
    let text: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter_map(|character| match character {
            // Some programs show each of these as the end of a line.
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            // These change the writing direction of the rest of the text, also of our own lines.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            other => (!other.is_control()).then_some(other),
        })
        .collect();

    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('@') {
        plain.push_str(before);
        // According to the pages of the channels, a bare `@all` pings nobody, unless another field of the request asks
        // for a ping. The full-width `＠` prevents a ping even if a page is wrong.
        plain.push(if is_mail_address(before, after) { '@' } else { '＠' });
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// Whether the `@` between the two texts belongs to a mail address. Forms often hold an address, which should stay
/// readable.
fn is_mail_address(before: &str, after: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    let domain = after.split(|character| !is_part(character)).next().unwrap_or_default();
    before.ends_with(|last: char| last.is_ascii_alphanumeric()) && domain.trim_end_matches('.').contains('.')
}
