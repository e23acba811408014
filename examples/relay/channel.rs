//! The facts about a channel: what it takes, how its requests are signed, and what its answers mean.
//!
//! Each channel has a file with its facts in this folder. The example `relay` and the package `examples/receiver`
//! compile the same files.

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
    /// The name in lower case, for the command line and the inbox. The names of the variables of the channel begin
    /// with this name in upper case, such as `SLACK_WEBHOOK_URL`.
    name: &'static str,
    /// Makes the JSON of a text message.
    pub(crate) json: fn(&str) -> Value,
    /// The size of the longest message. A longer text is cut.
    pub(crate) limit: Limit,
    /// Escapes the characters that the channel would read as a mention or a link.
    pub(crate) escape: fn(&str) -> String,
    /// The time from the end of one request to the start of the next. The inbox keeps this pace, for all receivers
    /// together. So the receivers never send more per minute than the channel takes, even if a receiver is killed and
    /// another receiver takes over.
    pub(crate) pace: Duration,
    /// Returns what to sign, from the Unix time and the secret. `None` if the channel has no signatures.
    pub(crate) signature: Option<fn(Duration, &str) -> ToSign>,
    /// The answer to a message that the channel has taken.
    pub(crate) taken: Taken,
    /// The refusals that do not go away until a person acts. The text says what this person has to do.
    pub(crate) lasting: &'static [(Refusal, &'static str)],
}

/// A limit on the size of a message.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// The number of characters in the text.
    Characters(usize),
    /// The number of bytes in the text, in UTF-8.
    Bytes(usize),
    /// The number of bytes in the JSON.
    Json(usize),
}

/// The input of an HMAC-SHA256. The request gets the fields `timestamp` and `sign`, which is the HMAC in base64.
pub(crate) struct ToSign {
    pub(crate) timestamp: String,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// The part of the request that gets the fields `timestamp` and `sign`.
pub(crate) enum Place {
    Body,
    Query,
}

/// How a channel says that it has taken a message.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    /// The answer has this status. The body does not matter.
    Status(u16),
    /// The answer has status 200, and its body is JSON in which this field is 0.
    Code(&'static str),
}

/// How a channel says that it has not taken a message.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// The answer has this status.
    Status(u16),
    /// The body of the answer is this text.
    Text(&'static str),
    /// The answer has this number in the field of [`Taken::Code`].
    Code(i64),
}

/// The meaning of an answer. The texts are for the log. They hold no words of the channel.
pub(crate) enum Meaning {
    Taken,
    /// The channel may take the message later.
    Refused(String),
    /// The channel refuses the message until a person acts. The text says what to do.
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

/// Replaces brackets with full-width brackets, which look the same and have no effect.
///
/// Some channels document no escape, but give brackets a meaning. According to their pages, `<at user_id="all">` is a
/// mention in a text of Feishu, and `<@userid>` is a mention in a text of WeCom. `[text](link)` is a link in a text of
/// Feishu's apps. It is not a link in a text of Feishu's custom bots, but its brackets are replaced there too.
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
