//! Bodies for the benchmarks, besides the documented ones. Each is the documented UNREPLIED body with one change.

use twt_chat_webhooks::fixtures::UNREPLIED;

const BEFORE_ITEMS: &str = "\"content\": [\n";
const AFTER_ITEMS: &str = "\n]\n}";

/// Splits a body into the text before `content` and the text of the items.
fn parts(body: &str) -> (&str, &str) {
    body.trim_end()
        .strip_suffix(AFTER_ITEMS)
        .and_then(|body| body.split_once(BEFORE_ITEMS))
        .expect("the documented body should end with its content")
}

fn assemble(envelope: &str, items: &str) -> String {
    format!("{envelope}{BEFORE_ITEMS}{items}{AFTER_ITEMS}")
}

fn replace(old: &str, new: &str) -> String {
    assert_eq!(UNREPLIED.matches(old).count(), 1, "{old}");
    UNREPLIED.replace(old, new)
}

/// A body with `count` copies of the documented item. One copy gives the documented body itself.
pub fn with_items(count: usize) -> String {
    let (envelope, item) = parts(UNREPLIED);
    assemble(envelope, &vec![item; count].join(",\n"))
}

/// The same body with `content` as the first field instead of the last. The length stays the same.
pub fn content_before_event(count: usize) -> String {
    let body = with_items(count);
    let (envelope, items) = parts(&body);
    let envelope = envelope.trim_start_matches("{\n").trim_end_matches(",\n");
    let moved = format!("{{\n{BEFORE_ITEMS}{items}\n],\n{envelope}\n}}");
    assert_eq!(moved.len(), body.len());
    moved
}

/// The documented content under an unknown event.
pub fn unknown_event() -> String {
    replace(r#""UNREPLIED""#, r#""EVENT_OF_TOMORROW""#)
}

/// The documented body with text in the place of a number.
pub fn bad_push_times() -> String {
    replace(r#""push_times": 4"#, r#""push_times": "four""#)
}

/// The documented body with two unknown fields in the envelope and three in the item.
pub fn unknown_fields() -> String {
    let (envelope, item) = parts(UNREPLIED);
    assemble(
        &format!("{envelope}\"region\": \"eu-1\",\n\"attempt\": 2,\n"),
        &item.replacen('{', r#"{"channel": "web", "tags": ["new", 7], "visitor": {"language": "de"},"#, 1),
    )
}

/// The documented body with the fields of its item in reverse.
pub fn fields_in_reverse() -> String {
    let (envelope, item) = parts(UNREPLIED);
    let fields = item.trim_start_matches("{\n").trim_end_matches("\n}");
    let reversed: Vec<_> = fields.rsplit(",\n").collect();
    assemble(envelope, &format!("{{\n{}\n}}", reversed.join(",\n")))
}

/// The documented body with an unknown field behind each text field.
pub fn unknown_between() -> String {
    UNREPLIED.replace("\",\n\"", "\",\n\"rating\": 5,\n\"")
}

/// The documented body with a message of 60 characters: Chinese text, quotes and a line break.
pub fn escaped_message() -> String {
    let message = r#"您好，我的订单\"4711\"还没有到，请问现在在哪里？\nPlease answer in \"English\" or 中文."#;
    replace(r#""message_content": "1""#, &format!(r#""message_content": "{message}""#))
}

/// The documented body with a message of 1 MiB. The message has two scripts, and its line breaks are escapes in JSON.
pub fn long_message() -> String {
    const LINE: &str = r"Where is my order? 我的订单在哪里？\n";
    let message = LINE.repeat((1 << 20) / LINE.len());
    replace(r#""message_content": "1""#, &format!(r#""message_content": "{message}""#))
}
