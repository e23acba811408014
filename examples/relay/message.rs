//! The message that each channel takes about an event. `relay.rs` and the package `examples/receiver` share this file.
//!
//! The text holds what visitors wrote. It must not ping anybody, imitate a line of ours, or hide where a link leads.

use serde_json::{Value, json};
use twt_chat_webhooks::{Content, Event, Payload, UnrepliedContent};

/// A chat platform with webhooks that take messages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Channel {
    /// An app's [incoming webhook](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
    Slack,
    /// A [custom bot](https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot) of Feishu, or Lark.
    Feishu,
    /// A [custom robot](https://open.dingtalk.com/document/orgapp/custom-robot-access).
    DingTalk,
    /// A [group robot](https://developer.work.weixin.qq.com/document/path/99110) of `WeCom`, also known as Enterprise
    /// `WeChat`.
    WeCom,
}

impl Channel {
    pub(crate) const ALL: [Self; 4] = [Self::Slack, Self::Feishu, Self::DingTalk, Self::WeCom];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
            Self::WeCom => "wecom",
        }
    }

    /// What to send: a message for each item of a documented event, or one message that names an unknown event.
    pub(crate) fn messages(self, payload: &Payload) -> Vec<Value> {
        texts(&payload.event).iter().map(|text| self.message(text)).collect()
    }

    /// The text message, cut to what the channel takes.
    fn message(self, text: &str) -> Value {
        let escaped = self.escape(text);
        if self.takes(&escaped) {
            return self.json(&escaped);
        }
        // The text is cut before it is escaped, so that neither a character nor an `&amp;` is cut in two.
        let cut = |end: usize| self.escape(&format!("{}…", text.get(..end).unwrap_or_default()));
        let ends: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
        let taken = ends.partition_point(|&end| self.takes(&cut(end)));
        self.json(&cut(taken.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0)))
    }

    fn json(self, text: &str) -> Value {
        match self {
            // `mrkdwn: false` makes `*` and the like mean nothing. Without unfurling, Slack does not fetch a visitor's
            // link for a preview. <https://docs.slack.dev/reference/methods/chat.postMessage> documents these fields.
            Self::Slack => json!({ "text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false }),
            Self::Feishu => json!({ "msg_type": "text", "content": { "text": text } }),
            Self::DingTalk => json!({ "msgtype": "text", "text": { "content": text }, "at": { "isAtAll": false } }),
            Self::WeCom => json!({ "msgtype": "text", "text": { "content": text } }),
        }
    }

    /// Whether an escaped text is within the channel's limit.
    fn takes(self, text: &str) -> bool {
        match self {
            // <https://docs.slack.dev/reference/methods/chat.postMessage>, "Truncating content": 4,000 characters "for
            // best results". Slack splits a longer text into several messages and cuts it at 40,000. An `&amp;` counts
            // as five here, because the page does not say how Slack counts it.
            Self::Slack => text.chars().count() <= 4_000,
            // The page of the custom bot limits the body of a request to 20 KB, which may mean 20 000 or 20 480 bytes.
            // 100 bytes are left for the signature that the receiver adds.
            Self::Feishu => self.json(text).to_string().len() <= 19_900,
            // The page names no limit. The service refuses a larger body with error 460101, "keep it within
            // 20000bytes".
            Self::DingTalk => self.json(text).to_string().len() <= 20_000,
            // The page of the group robot limits `content` to 2 048 bytes of UTF-8.
            Self::WeCom => text.len() <= 2_048,
        }
    }

    /// Escapes what the channel would read as a mention or a link.
    fn escape(self, text: &str) -> String {
        match self {
            // <https://docs.slack.dev/messaging/formatting-message-text> asks to escape exactly these three characters.
            // This disarms `<!channel>`, `<@U012AB3CD>` and `<https://example.com|a link>`.
            Self::Slack => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            // None of these channels documents an escape. The pages above say that Feishu reads `<at user_id="all">` in
            // a text, and that WeCom reads `<@userid>`. They also say that texts of Feishu's apps can hold
            // `[text](link)`, and texts of its custom bots not yet. The full-width characters look the same and have no
            // effect.
            Self::Feishu | Self::DingTalk | Self::WeCom => text
                .chars()
                .map(|character| match character {
                    '<' => '＜',
                    '>' => '＞',
                    '[' => '［',
                    ']' => '］',
                    other => other,
                })
                .collect(),
        }
    }
}

/// The text about each item of a documented event, or one text about an unknown event. [`plain`] and
/// [`Channel::escape`] disarm what a visitor wrote.
fn texts(event: &Event) -> Vec<String> {
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

/// The visitor's message comes last, so that the limit cuts only the message.
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
    // A bar in front of each line, as in mail, shows that the visitor wrote it.
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

/// A name in one line, cut so that it leaves room for the message.
fn line(name: &str) -> String {
    const LONGEST: usize = 64;

    let name = plain(name).replace('\n', " ");
    match name.char_indices().nth(LONGEST) {
        None => name,
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
    }
}

/// The text without mentions, and without invisible characters that have an effect.
fn plain(text: &str) -> String {
    let text: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter_map(|character| match character {
            // All characters that may be shown as the end of a line.
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            // These change the direction of the text that follows, our own lines included.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            other => (!other.is_control()).then_some(other),
        })
        .collect();

    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('@') {
        plain.push_str(before);
        // By their pages, no channel pings anybody for a bare `@all` unless the request asks for it. The full-width
        // `＠` makes sure.
        plain.push(if is_mail_address(before, after) { '@' } else { '＠' });
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// Whether the `@` between the two texts belongs to a mail address. Forms often hold one, and it should stay readable.
fn is_mail_address(before: &str, after: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    let domain = after.split(|character| !is_part(character)).next().unwrap_or_default();
    before.ends_with(|last: char| last.is_ascii_alphanumeric()) && domain.trim_end_matches('.').contains('.')
}
