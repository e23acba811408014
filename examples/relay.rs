//! The platform's own use case: tells a team's channel about an event.
//!
//! ```sh
//! cargo run --example relay                        # the documented UNREPLIED event, for every channel
//! cargo run --example relay -- wecom               # for one
//! cargo run --example relay -- slack payload.json  # an event of yours; `-` reads it from standard input
//! ```
//!
//! It prints the JSON that the channel's incoming webhook takes, a line for each message or form, and sends nothing:
//!
//! ```sh
//! cargo run --example relay -- slack payload.json |
//!     while IFS= read -r message; do curl --json "$message" "$SLACK_WEBHOOK_URL"; done
//! ```
//!
//! What visitors write is theirs: it must not ping anybody, pass for a line of ours, or hide where a link leads.

#![allow(clippy::std_instead_of_alloc, reason = "a program has std")]

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::{env, fmt, fs};

use serde_json::{Value, json};
use twt_chat_webhooks::{Content, Event, Payload, UnrepliedContent, fixtures};

const USAGE: &str = "usage: relay [slack|feishu|dingtalk|wecom [FILE|-]]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((channels, source)) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match relay(&channels, source, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn parse<'a>(arguments: &[&'a str]) -> Option<(Vec<Channel>, Option<&'a str>)> {
    match *arguments {
        // Whoever tries it out without reading on sees what it does.
        [] => Some((Channel::ALL.to_vec(), None)),
        [channel] => Some((vec![Channel::named(channel)?], None)),
        [channel, source] => Some((vec![Channel::named(channel)?], Some(source))),
        _ => None,
    }
}

pub(crate) fn relay(channels: &[Channel], source: Option<&str>, out: &mut impl Write) -> Result<(), String> {
    let body = match source {
        None => fixtures::UNREPLIED.into(),
        Some("-") => {
            let mut body = Vec::new();
            io::stdin().read_to_end(&mut body).map_err(|error| format!("standard input: {error}"))?;
            body
        }
        Some(file) => fs::read(file).map_err(|error| format!("{file}: {error}"))?,
    };
    // A receiver verifies the body first: see examples/receiver.
    let decoded = Payload::from_slice_partial(&body).map_err(|error| error.to_string())?;
    for rejected in &decoded.rejected {
        eprintln!("left out: {}", rejected.error);
    }
    for channel in channels {
        for message in channel.messages(&decoded.payload) {
            let written = match channels {
                [_] => writeln!(out, "{message}"),
                _ => writeln!(out, "{channel}: {message}"),
            };
            written.map_err(|error| format!("standard output: {error}"))?;
        }
    }
    Ok(())
}

/// Where a message can go.
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

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.to_string() == name)
    }

    /// What to send: a message for each item of the event.
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
            // Without `mrkdwn`, `*` and the like mean nothing. Without unfurling, nobody's server is asked for a
            // preview of a visitor's link. <https://docs.slack.dev/reference/methods/chat.postMessage> has these
            // fields.
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
            // best results", and beyond 40,000 the rest is lost. In between, Slack makes several messages of one. We
            // count an `&amp;` as five, to be on the safe side.
            Self::Slack => text.chars().count() <= 4_000,
            // Feishu, on the page of the custom bot: "the body of a request must not exceed 20 KB". That may mean 20
            // 480. DingTalk's page is silent. The service refuses a larger body with error 460101: "keep it within
            //      20000bytes".
            Self::Feishu | Self::DingTalk => self.json(text).to_string().len() <= 20_000,
            // The page of the group robot: `content` has at most 2 048 bytes, in UTF-8.
            Self::WeCom => text.len() <= 2_048,
        }
    }

    /// Makes a text mean nothing but itself.
    fn escape(self, text: &str) -> String {
        match self {
            // <https://docs.slack.dev/messaging/formatting-message-text>: these three, and no other, are to be escaped.
            // That disarms `<!channel>`, `<@U012AB3CD>` and `<https://example.com|a link>`.
            Self::Slack => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            // None of them documents an escape. But by the pages above, Feishu reads `<at user_id="all">` in a text,
            // and WeCom `<@userid>`. `[text](link)` is a link in texts of Feishu's apps, and "not yet" in those of its
            // custom bots. The full-width forms look the same and mean nothing.
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

/// The name on the command line.
impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Slack => "slack",
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
            Self::WeCom => "wecom",
        })
    }
}

/// What to tell, in words: a text for each item. What a visitor wrote is disarmed by [`plain`] and [`Channel::escape`].
fn texts(event: &Event) -> Vec<String> {
    match event {
        Event::Unreplied(messages) => messages
            .iter()
            .map(|message| text("Visitor message not replied", Some(&waiting(message)), message))
            .collect(),
        Event::PreChatFormSubmit(forms) => forms.iter().map(|form| text("Pre-chat form", None, form)).collect(),
        Event::OfflineFormSubmit(forms) => forms.iter().map(|form| text("Offline form", None, form)).collect(),
        _ => vec![format!("An event that this relay does not know: {}", line(event.event_type().as_str()))],
    }
}

/// The message comes last, so that it is what the limit cuts.
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
    // With a bar in front of each line, as in a mail: a visitor cannot write a line that looks like one of ours.
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

/// A name in one line, and not so long that it leaves no room for the message.
fn line(name: &str) -> String {
    const LONGEST: usize = 64;

    let name = plain(name).replace('\n', " ");
    match name.char_indices().nth(LONGEST) {
        None => name,
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
    }
}

/// The text without mentions, and without characters that are not seen but do something.
fn plain(text: &str) -> String {
    let text: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter_map(|character| match character {
            // Whatever may be shown as the end of a line.
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            // These turn the direction of what follows, ours included.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            other => (!other.is_control()).then_some(other),
        })
        .collect();

    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('@') {
        plain.push_str(before);
        // By their pages, none of the channels pings anybody for a bare `@all` as long as we don't ask for it. To be
        // sure:
        plain.push(if is_mail_address(before, after) { '@' } else { '＠' });
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// Whether the `@` between the two is that of a mail address, which a form is often about.
fn is_mail_address(before: &str, after: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    let domain = after.split(|character| !is_part(character)).next().unwrap_or_default();
    before.ends_with(|last: char| last.is_ascii_alphanumeric()) && domain.trim_end_matches('.').contains('.')
}
