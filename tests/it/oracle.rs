//! The test oracle: it decodes and encodes a body by the rules in the docs, without code of the crate.
//!
//! It works on a `Value`, so it is slow and simple. The property tests and the fuzz targets compare the crate with it.

use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The result for a body whose envelope can be read.
pub(crate) struct Reading {
    /// The encoded payload, without the bad items.
    pub(crate) text: String,
    /// The indices of the bad items.
    pub(crate) rejected: Vec<usize>,
}

/// Reads a body. Returns `None` if the envelope cannot be read.
pub(crate) fn read(body: &[u8]) -> Option<Reading> {
    // The body is read twice, because a `Value` does not keep repeated keys.
    let Value::Object(fields) = serde_json::from_slice(body).ok()? else { return None };
    let keys: Keys = serde_json::from_slice(body).ok()?;
    if keys.repeat_any(&["created_at", "event", "webhook_id", "content"]) {
        return None;
    }

    let created_at = timestamp(fields.get("created_at"))?;
    let event = fields.get("event")?.as_str()?;
    let webhook_id = fields.get("webhook_id")?.as_str()?;
    let content = fields.get("content")?;
    let mut rejected = Vec::new();
    let content = match documented_fields(event) {
        Some(documented) => {
            let keys = keys.of("content").items();
            let mut items = Vec::new();
            for (index, (item, keys)) in content.as_array()?.iter().zip(keys).enumerate() {
                match read_item(item, keys, documented) {
                    Some(item) => items.push(item),
                    None => rejected.push(index),
                }
            }
            format!("[{}]", items.join(","))
        }
        None => content.to_string(),
    };
    let documented = [
        ("created_at", created_at.to_string()),
        ("event", quoted(event)),
        ("webhook_id", quoted(webhook_id)),
        ("content", content),
    ];
    Some(Reading { text: object(&documented, &fields), rejected })
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Timestamp,
    Status,
    /// An unsigned integer, and its maximum.
    Count(i128),
}

type DocumentedFields = &'static [(&'static str, Kind)];

const FORM: DocumentedFields = &[
    ("subject", Kind::Text),
    ("visitor_name", Kind::Text),
    ("created_at", Kind::Timestamp),
    ("message_content", Kind::Text),
    ("property_name", Kind::Text),
    ("visitor_nickname", Kind::Text),
    ("sbs", Kind::Text),
    ("assigned_agent_nickname", Kind::Text),
];

const MESSAGE: DocumentedFields = &[
    ("subject", Kind::Text),
    ("visitor_name", Kind::Text),
    ("created_at", Kind::Timestamp),
    ("message_content", Kind::Text),
    ("property_name", Kind::Text),
    ("visitor_nickname", Kind::Text),
    ("sbs", Kind::Text),
    ("status", Kind::Status),
    ("push_times", Kind::Count(u32::MAX as i128)),
    ("time_sec", Kind::Count(u64::MAX as i128)),
    ("assigned_agent_nickname", Kind::Text),
];

/// The documented fields of an item of the event, in the order of the page. `None` for an unknown event.
fn documented_fields(event: &str) -> Option<DocumentedFields> {
    match event {
        "UNREPLIED" => Some(MESSAGE),
        "PRE_CHAT_FORM_SUBMIT" | "OFFLINE_FORM_SUBMIT" => Some(FORM),
        _ => None,
    }
}

fn read_item(item: &Value, keys: &Keys, documented: DocumentedFields) -> Option<String> {
    let item = item.as_object()?;
    let mut fields = Vec::new();
    for &(name, kind) in documented {
        let value = item.get(name);
        let text = match kind {
            Kind::Text => quoted(text(value)?),
            Kind::Timestamp => timestamp(value)?.to_string(),
            Kind::Status => quoted(&status(value)?),
            Kind::Count(max) => integer(value, false).filter(|count| (0..=max).contains(count))?.to_string(),
        };
        fields.push((name, text));
    }
    let names: Vec<_> = documented.iter().map(|(name, _)| *name).collect();
    (!keys.repeat_any(&names)).then(|| object(&fields, item))
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    }
}

fn timestamp(value: Option<&Value>) -> Option<i128> {
    integer(value, true).filter(|seconds| (-377_705_116_800..=253_402_300_799).contains(seconds))
}

fn status(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(status) => Some(status.clone()),
        Value::Number(number) => {
            let is_64_bits = |integer: &i128| (i64::MIN.into()..=u64::MAX.into()).contains(integer);
            whole(number).filter(is_64_bits).map(|integer| integer.to_string())
        }
        _ => None,
    }
}

fn integer(value: Option<&Value>, signed: bool) -> Option<i128> {
    match value? {
        Value::Number(number) => whole(number),
        Value::String(text) => {
            let digits = text.strip_prefix('-').filter(|_| signed).unwrap_or(text);
            let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_digits { text.parse().ok() } else { None }
        }
        _ => None,
    }
}

fn whole(number: &Number) -> Option<i128> {
    if let Some(integer) = number.as_u64() {
        Some(integer.into())
    } else if let Some(integer) = number.as_i64() {
        Some(integer.into())
    } else {
        number.as_f64().and_then(whole_float)
    }
}

/// The integer that the float stands for, if it is integral.
///
/// Without its feature `float_roundtrip`, `serde_json` can be wrong in the last place. So a float that is very close to
/// an integer counts as the integer. Beyond 2^48, the integer would be a guess.
#[allow(clippy::cast_possible_truncation)]
fn whole_float(float: f64) -> Option<i128> {
    let (nearest, certain) = (float.round(), 2_f64.powi(48));
    let is_whole = float.abs() <= certain && (float - nearest).abs() <= float.abs() * 2.0 * f64::EPSILON;
    is_whole.then_some(nearest as i128)
}

/// Writes an object: the documented fields first, then the extras unchanged.
fn object(documented: &[(&str, String)], all: &Map<String, Value>) -> String {
    let extra = all.iter().filter(|(name, _)| documented.iter().all(|(documented, _)| documented != name));
    let extra = extra.map(|(name, value)| format!("{}:{value}", quoted(name)));
    let documented = documented.iter().map(|(name, text)| format!("{}:{text}", quoted(name)));
    format!("{{{}}}", documented.chain(extra).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// All keys of a body, with repeated ones.
enum Keys {
    Object(Vec<(String, Keys)>),
    Array(Vec<Keys>),
    None,
}

impl Keys {
    fn of(&self, name: &str) -> &Self {
        match self {
            Self::Object(fields) => fields.iter().find(|(key, _)| key == name).map_or(&Self::None, |(_, keys)| keys),
            _ => &Self::None,
        }
    }

    fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    fn repeat_any(&self, names: &[&str]) -> bool {
        match self {
            Self::Object(fields) => names.iter().any(|name| fields.iter().filter(|(key, _)| key == name).count() > 1),
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys::None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys::None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys::None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys::None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys::None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Keys, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Keys::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Keys::Object(fields))
    }
}
