//! An encoder written by hand for the UNREPLIED body only. It shows how fast an encoder can be.
//!
//! It writes the same bytes as the crate. It knows the event and the documented statuses, and there is no unknown data.

use super::by_hand::{Item, UnrepliedBody};

/// Encodes a body.
pub fn encode(body: &UnrepliedBody) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + 384 * body.content.len());
    out.extend_from_slice(b"{\"created_at\":");
    write_seconds(&mut out, body.created_at);
    out.extend_from_slice(b",\"event\":\"UNREPLIED\",\"webhook_id\":");
    write_text(&mut out, &body.webhook_id);
    out.extend_from_slice(b",\"content\":[");
    for (index, item) in body.content.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_item(&mut out, item);
    }
    out.extend_from_slice(b"]}");
    out
}

fn write_item(out: &mut Vec<u8>, item: &Item) {
    out.extend_from_slice(b"{\"subject\":");
    write_text(out, &item.subject);
    out.extend_from_slice(b",\"visitor_name\":");
    write_text(out, &item.visitor_name);
    out.extend_from_slice(b",\"created_at\":");
    write_seconds(out, item.created_at);
    out.extend_from_slice(b",\"message_content\":");
    write_text(out, &item.message_content);
    out.extend_from_slice(b",\"property_name\":");
    write_text(out, &item.property_name);
    out.extend_from_slice(b",\"visitor_nickname\":");
    write_text(out, item.visitor_nickname.as_deref().unwrap_or_default());
    out.extend_from_slice(b",\"sbs\":");
    write_text(out, item.sbs.as_deref().unwrap_or_default());
    out.extend_from_slice(b",\"status\":\"");
    out.extend_from_slice(item.status.as_str().as_bytes());
    out.extend_from_slice(b"\",\"push_times\":");
    write_number(out, item.push_times.into());
    out.extend_from_slice(b",\"time_sec\":");
    write_number(out, item.time_sec);
    out.extend_from_slice(b",\"assigned_agent_nickname\":");
    write_text(out, item.assigned_agent_nickname.as_deref().unwrap_or_default());
    out.push(b'}');
}

fn write_seconds(out: &mut Vec<u8>, seconds: i64) {
    if seconds < 0 {
        out.push(b'-');
    }
    write_number(out, seconds.unsigned_abs());
}

fn write_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b"0123456789"[(number % 10) as usize];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).unwrap();
    }
}

/// SWAR: whether the text has no character that JSON must escape.
fn is_plain(mut text: &[u8]) -> bool {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    while let Some((word, tail)) = text.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(each(0x20));
        let quote = (word ^ each(b'"')).wrapping_sub(each(1));
        let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
        if (control | quote | backslash) & !word & each(0x80) != 0 {
            return false;
        }
        text = tail;
    }
    !text.iter().any(|byte| matches!(byte, b'"' | b'\\' | ..0x20))
}
