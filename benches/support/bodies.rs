//! The bodies that are measured beside the documented ones. All are the documented UNREPLIED body with one thing
//! changed.

use twt_chat_webhooks::fixtures::UNREPLIED;

const BEFORE_ITEMS: &str = "\"content\": [\n";
const AFTER_ITEMS: &str = "\n]\n}";

/// A body in two parts: its members before `content`, and its items.
fn parts(body: &str) -> (&str, &str) {
    body.trim_end()
        .strip_suffix(AFTER_ITEMS)
        .and_then(|body| body.split_once(BEFORE_ITEMS))
        .expect("the documented body ends with its content")
}

fn assemble(envelope: &str, items: &str) -> String {
    format!("{envelope}{BEFORE_ITEMS}{items}{AFTER_ITEMS}")
}

fn replace(old: &str, new: &str) -> String {
    assert_eq!(UNREPLIED.matches(old).count(), 1, "{old}");
    UNREPLIED.replace(old, new)
}

/// The documented item `count` times; with one, the documented body itself.
pub fn with_items(count: usize) -> String {
    let (envelope, item) = parts(UNREPLIED);
    assemble(envelope, &vec![item; count].join(",\n"))
}

/// The same, with `content` as the first member instead of the last; not a byte more or less.
pub fn content_before_event(count: usize) -> String {
    let body = with_items(count);
    let (envelope, items) = parts(&body);
    let envelope = envelope.trim_start_matches("{\n").trim_end_matches(",\n");
    let moved = format!("{{\n{BEFORE_ITEMS}{items}\n],\n{envelope}\n}}");
    assert_eq!(moved.len(), body.len());
    moved
}

/// The documented content, under an event that the platform does not document.
pub fn unknown_event() -> String {
    replace(r#""UNREPLIED""#, r#""EVENT_OF_TOMORROW""#)
}

/// The documented body, with a text in the place of a number.
pub fn bad_push_times() -> String {
    replace(r#""push_times": 4"#, r#""push_times": "four""#)
}

/// Two members more in the envelope, three more in the item.
pub fn unknown_fields() -> String {
    let (envelope, item) = parts(UNREPLIED);
    assemble(
        &format!("{envelope}\"region\": \"eu-1\",\n\"attempt\": 2,\n"),
        &item.replacen('{', r#"{"channel": "web", "tags": ["new", 7], "visitor": {"language": "de"},"#, 1),
    )
}

/// A message of 1 MiB, in two scripts and with line breaks, which are escapes in JSON.
pub fn long_message() -> String {
    const LINE: &str = r"Where is my order? 我的订单在哪里？\n";
    let message = LINE.repeat((1 << 20) / LINE.len());
    replace(r#""message_content": "1""#, &format!(r#""message_content": "{message}""#))
}
