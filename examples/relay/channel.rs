//! A channel: what it takes, how its requests are signed, and what its answers mean.
//!
//! Each channel has a file with these facts. The example `relay` and the package `examples/receiver` compile the same
//! files.

use std::time::Duration;

use serde_json::Value;
use twt_chat_webhooks::Payload;

mod message;

/// Declares the module of each channel, and lists the channels in this order. To add a channel, add its file and a line
/// to the list.
macro_rules! channels {
    ($($name:ident,)*) => {
        $(mod $name;)*

        impl Channel {
            pub(crate) const ALL: &[Self] = &[$($name::CHANNEL),*];
        }
    };
}

channels! {
    slack,
    feishu,
    dingtalk,
    wecom,
}

/// A chat platform with webhooks that take messages.
#[derive(Clone, Copy)]
pub(crate) struct Channel {
    /// The name in lower case, for the command line and the inbox. `SLACK_WEBHOOK_URL` begins with it in upper case.
    name: &'static str,
    /// Makes the JSON of a text message.
    pub(crate) json: fn(&str) -> Value,
    /// A longer text is cut.
    pub(crate) limit: Limit,
    /// Escapes the characters that the channel would read as a mention or a link.
    pub(crate) escape: fn(&str) -> String,
    /// The time from the end of one request to the start of the next. With it, no minute exceeds the limit of the
    /// channel, even if a receiver is killed and another one takes over.
    pub(crate) pace: Duration,
    /// Takes the Unix time and the secret. `None` if the channel has no signatures.
    pub(crate) signature: Option<fn(Duration, &str) -> ToSign>,
    pub(crate) taken: Taken,
    /// The refusals that do not go away until a person acts, and what that person has to do.
    pub(crate) lasting: &'static [(Refusal, &'static str)],
}

/// What the longest message has.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// That many characters of text.
    Characters(usize),
    /// That many bytes of text, in UTF-8.
    Bytes(usize),
    /// That many bytes of JSON.
    Json(usize),
}

/// The input of an HMAC-SHA256. The channel gets the timestamp and the result in base64.
pub(crate) struct ToSign {
    pub(crate) timestamp: String,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// The part of the request that has the fields `timestamp` and `sign`.
pub(crate) enum Place {
    Body,
    Query,
}

/// The answer to a message that the channel has taken.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    /// This status. The body does not matter.
    Status(u16),
    /// Status 200, and JSON in which this field is 0.
    Code(&'static str),
}

/// The answer to a message that the channel has not taken.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    Status(u16),
    /// The whole body is this text.
    Text(&'static str),
    /// The field of [`Taken::Code`] has this number.
    Code(i64),
}

/// The meaning of an answer. Its text holds nothing that the channel wrote, except numbers.
pub(crate) enum Meaning {
    Taken,
    /// The channel may take the message later.
    Refused(String),
    /// The channel does not take the message until a person acts. The text says how.
    RefusedForGood(String),
}

impl Channel {
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// The messages about an event: one for each item of a documented event, or one that names an unknown event.
    pub(crate) fn messages(self, payload: &Payload) -> Vec<Value> {
        message::texts(&payload.event).iter().map(|text| self.message(text)).collect()
    }

    /// The message with this text, cut to the limit.
    fn message(self, text: &str) -> Value {
        let whole = (self.escape)(text);
        if self.is_within_limit(&whole) {
            return (self.json)(&whole);
        }
        // The text is cut first and escaped afterwards. This way, the cut is never inside `&amp;`.
        let cut = |end: usize| (self.escape)(&format!("{}…", text.get(..end).unwrap_or_default()));
        let ends: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
        let taken = ends.partition_point(|&end| self.is_within_limit(&cut(end)));
        let end = taken.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0);
        (self.json)(&cut(end))
    }

    fn is_within_limit(self, escaped: &str) -> bool {
        match self.limit {
            Limit::Characters(most) => escaped.chars().count() <= most,
            Limit::Bytes(most) => escaped.len() <= most,
            Limit::Json(most) => (self.json)(escaped).to_string().len() <= most,
        }
    }

    pub(crate) fn judge(self, status: u16, body: &[u8]) -> Meaning {
        let code = match self.taken {
            Taken::Status(_) => None,
            Taken::Code(field) => serde_json::from_slice(body).ok().and_then(|body: Value| body.get(field)?.as_i64()),
        };
        let problem = match (self.taken, code) {
            (Taken::Status(taken), _) if status == taken => return Meaning::Taken,
            (Taken::Code(_), Some(0)) if status == 200 => return Meaning::Taken,
            (Taken::Code(field), Some(code)) if status == 200 => format!("{field} {code}"),
            (Taken::Code(field), None) if status == 200 => format!("an answer without `{field}`"),
            _ => format!("status {status}"),
        };
        let is_this = |refusal| match refusal {
            Refusal::Status(number) => number == status,
            Refusal::Text(text) => body.trim_ascii() == text.as_bytes(),
            Refusal::Code(number) => code == Some(number),
        };
        match self.lasting.iter().find(|(refusal, _)| is_this(*refusal)) {
            Some((_, advice)) => Meaning::RefusedForGood(format!("{problem}: {advice}")),
            None => Meaning::Refused(problem),
        }
    }
}

/// Replaces brackets by full-width ones, which look the same and have no effect. This is for the channels that document
/// no escape. By their pages, Feishu reads `<at user_id="all">` in a text, and WeCom reads `<@userid>`. Texts of
/// Feishu's apps can also hold `[text](link)`, but those of its custom bots cannot yet.
fn full_width(text: &str) -> String {
    let replaced = text.chars().map(|character| match character {
        '<' => '＜',
        '>' => '＞',
        '[' => '［',
        ']' => '］',
        other => other,
    });
    replaced.collect()
}
