//! Builds bodies for the tests: the documented bodies, with some fields changed, and with the keys in either order.

use serde_json::Value;
use twt_chat_webhooks::fixtures;

/// The documented events, in the order of the page.
pub(crate) const EVENTS: [&str; 3] = ["UNREPLIED", "PRE_CHAT_FORM_SUBMIT", "OFFLINE_FORM_SUBMIT"];

/// The unknown event of all tests. The platform will never use this name.
pub(crate) const EVENT_OF_TOMORROW: &str = "EVENT_OF_TOMORROW";

/// The fields of the envelope, in the order of the page.
pub(crate) const ENVELOPE_FIELDS: [&str; 4] = ["created_at", "event", "webhook_id", "content"];

/// The text fields that the items of all events have, and that decode to `""` if they are absent. The other shared text
/// fields decode to `None`.
pub(crate) const TEXTS: [&str; 4] = ["subject", "visitor_name", "message_content", "property_name"];

/// The paths of the numbers in an `UNREPLIED` body.
pub(crate) const NUMBERS: [&str; 4] =
    ["created_at", "content[0].created_at", "content[0].push_times", "content[0].time_sec"];

/// The fields of an object, in order. A key is the text between the quotes, and a value is JSON text.
type Fields = Vec<(String, String)>;

#[derive(Clone)]
pub(crate) struct Body {
    envelope: Fields,
    items: Vec<Fields>,
}

impl Body {
    /// The documented body of the event. An unknown event gets the body of `PRE_CHAT_FORM_SUBMIT`, with its own name.
    pub(crate) fn of(event: &str) -> Self {
        let printed = fixtures::body(&event.into()).unwrap_or(fixtures::PRE_CHAT_FORM_SUBMIT);
        let (envelope, item) = printed.split_once("\"content\": [").unwrap();
        let mut envelope = fields(envelope);
        // The empty text is a placeholder for the items.
        envelope.push(("content".into(), String::new()));
        Self { envelope, items: vec![fields(item)] }.set("event", &format!("{event:?}"))
    }

    pub(crate) fn unreplied() -> Self {
        Self::of("UNREPLIED")
    }

    /// Replaces the items by `count` copies of the first item.
    pub(crate) fn with_items(mut self, count: usize) -> Self {
        self.items = vec![self.items[0].clone(); count];
        self
    }

    /// Sets the value of a field to JSON text. A field that does not exist is added as the last field.
    pub(crate) fn set(mut self, path: &str, json: &str) -> Self {
        let (fields, key) = self.object(path);
        match fields.iter_mut().find(|(name, _)| name == key) {
            Some((_, value)) => json.clone_into(value),
            None => fields.push((key.into(), json.into())),
        }
        self
    }

    /// Adds a field as the last field, even if the key exists already.
    pub(crate) fn add(mut self, path: &str, json: &str) -> Self {
        let (fields, key) = self.object(path);
        fields.push((key.into(), json.into()));
        self
    }

    /// Adds a field as the first field, even if the key exists already.
    pub(crate) fn add_first(mut self, path: &str, json: &str) -> Self {
        let (fields, key) = self.object(path);
        fields.insert(0, (key.into(), json.into()));
        self
    }

    pub(crate) fn without(mut self, path: &str) -> Self {
        let (fields, key) = self.object(path);
        let before = fields.len();
        fields.retain(|(name, _)| name != key);
        assert_ne!(fields.len(), before, "the body has no field {path} to remove");
        self
    }

    /// Replaces a whole item by JSON text.
    pub(crate) fn set_item(mut self, index: usize, json: &str) -> Self {
        self.items[index] = vec![(String::new(), json.into())];
        self
    }

    /// Writes compact JSON with the keys in the order of the page.
    pub(crate) fn text(&self) -> String {
        self.write(|fields| fields.iter().collect())
    }

    /// Writes compact JSON with all keys in the opposite order: `content` comes before `event`.
    pub(crate) fn backwards(&self) -> String {
        self.write(|fields| fields.iter().rev().collect())
    }

    pub(crate) fn both_orders(&self) -> [String; 2] {
        [self.text(), self.backwards()]
    }

    /// The body as a `Value`.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// The object that holds the field at the path, and the key of the field.
    fn object<'a>(&mut self, path: &'a str) -> (&mut Fields, &'a str) {
        match path.strip_prefix("content[").and_then(|rest| rest.split_once("].")) {
            Some((index, key)) => (&mut self.items[index.parse::<usize>().unwrap()], key),
            None => (&mut self.envelope, path),
        }
    }

    fn write(&self, order: fn(&Fields) -> Vec<&(String, String)>) -> String {
        let items = self.items.iter().map(|fields| match fields.as_slice() {
            [(key, json)] if key.is_empty() => json.clone(),
            _ => object(order(fields).into_iter().map(|(key, json)| (key, json.as_str()))),
        });
        let items = format!("[{}]", items.collect::<Vec<_>>().join(","));
        object(order(&self.envelope).into_iter().map(|(key, json)| match (key.as_str(), json.as_str()) {
            ("content", "") => (key, items.as_str()),
            (_, json) => (key, json),
        }))
    }
}

/// Reads the fields of an object. The page prints each field on its own line.
fn fields(lines: &str) -> Fields {
    let fields = lines.lines().filter_map(|line| line.trim_end_matches(',').split_once("\": "));
    fields.map(|(key, json)| (key.trim_start_matches('"').to_owned(), json.to_owned())).collect()
}

fn object<'a>(fields: impl Iterator<Item = (&'a String, &'a str)>) -> String {
    let fields: Vec<_> = fields.map(|(key, json)| format!(r#""{key}":{json}"#)).collect();
    format!("{{{}}}", fields.join(","))
}

/// The documented fields of an item of the event, in the order of the page.
pub(crate) fn item_fields(event: &str) -> Vec<String> {
    Body::of(event).items.remove(0).into_iter().map(|(key, _)| key).collect()
}

/// The text fields of an item of the event. The page prints them as strings. The only other string is `status`.
pub(crate) fn text_fields(event: &str) -> Vec<String> {
    let fields = Body::of(event).items.remove(0).into_iter();
    fields.filter(|(key, json)| key != "status" && json.starts_with('"')).map(|(key, _)| key).collect()
}

/// The paths of all documented fields, in the envelope and in the only item.
pub(crate) fn every_path(event: &str) -> Vec<String> {
    let in_item = item_fields(event).into_iter().map(|field| format!("content[0].{field}"));
    ENVELOPE_FIELDS.into_iter().map(str::to_owned).chain(in_item).collect()
}
