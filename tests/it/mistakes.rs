//! The mistakes that developers make on the way to a working handler. The answer to each one names the mistake.

use core::time::Duration;

use serde_json::{Value, json};
use twt_chat_webhooks::{
    AppSecret, DecodeErrorKind, Payload, ReceiveError, SecretError, SignatureError, Timestamp, Verifier, fixtures,
};

use crate::body::Body;

const SECRET: &str = "s3cret";

fn secret() -> AppSecret {
    AppSecret::new(SECRET).unwrap()
}

/// The text of the error for a body.
fn answer(body: impl AsRef<[u8]>) -> String {
    let error = Payload::from_slice(body.as_ref()).unwrap_err();
    assert_eq!(Payload::from_slice_partial(body.as_ref()).unwrap_err(), error);
    error.to_string()
}

/// What a verifier with [`SECRET`] says about a request.
fn verified(body: &[u8], signature: Option<&str>) -> String {
    Verifier::new(secret())
        .verify(body, signature.map(str::as_bytes))
        .map_or_else(|error| error.to_string(), |_| "ok".into())
}

#[test]
fn a_secret_that_was_copied_with_something_around_it_is_refused_at_the_start() {
    for (mistake, copied, answer) in [
        ("the variable is not set", "", "the secret is empty"),
        ("a line end from a file", "s3cret\n", "the secret starts or ends with white space"),
        ("a line end of Windows", "s3cret\r\n", "the secret starts or ends with white space"),
        ("an invisible character of a web page", "\u{200b}s3cret", "the secret starts or ends with white space"),
        ("the quotes of an .env file", "\"s3cret\"", "the secret is in quotation marks"),
        ("the quotes of a shell", "'s3cret'", "the secret is in quotation marks"),
        ("the backticks of Markdown", "`s3cret`", "the secret is in quotation marks"),
    ] {
        let error: SecretError = AppSecret::new(copied).unwrap_err();
        assert_eq!(error.to_string(), answer, "{mistake}");
    }
}

#[test]
fn a_header_that_is_no_signature_is_told_apart_from_a_wrong_signature() {
    let body = fixtures::UNREPLIED.as_bytes();
    let signature = secret().sign(body).to_string();
    let base64 = "dNzLB34u1+2Qxk5nUo9Yk3mX0ZfQ1mQz3nJ8sWc2v0E=";
    let malformed =
        "the signature is not 64 hex digits; base64, a prefix such as sha256= and white space are not accepted";
    let mismatch = "the signature does not match the body: the secret is wrong, or the body is not as it was signed";
    for (mistake, header, answer) in [
        ("none: upper case is accepted", Some(signature.to_uppercase()), "ok"),
        ("another header is read", None, "the request has no header x-chat-signature"),
        ("the test signs in base64", Some(base64.into()), malformed),
        ("the prefix of another platform", Some(format!("sha256={signature}")), malformed),
        ("two headers joined", Some(format!("{signature}, {signature}")), malformed),
        ("a line end of a command", Some(format!("{signature}\n")), malformed),
        ("a hash without a key", Some("0".repeat(64)), mismatch),
        ("the signature of another body", Some(secret().sign(b"{}").to_string()), mismatch),
    ] {
        assert_eq!(verified(body, header.as_deref()), answer, "{mistake}");
    }
}

/// What a handler does with the body before it calls the verifier.
type PassOn = fn(&[u8]) -> Vec<u8>;

/// Each of these handlers makes a mistake, except the first.
const HANDLERS: [(&str, PassOn); 6] = [
    ("passes on the bytes", <[u8]>::to_vec),
    ("writes a parsed `Value` again", |body| serde_json::from_slice::<Value>(body).unwrap().to_string().into_bytes()),
    ("writes a parsed `Payload` again", |body| Payload::from_slice(body).unwrap().to_vec()),
    ("formats the JSON", |body| serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(body).unwrap()).unwrap()),
    ("trims the text", |body| String::from_utf8_lossy(body).trim().as_bytes().to_vec()),
    ("gets nothing, because a middleware has read the body", |_| Vec::new()),
];

/// The docs of `SignatureError::Mismatch` describe this test of a handler.
#[test]
fn a_wrong_secret_is_told_apart_from_a_changed_body_by_a_request_of_ones_own() {
    let of_the_platform = AppSecret::new("the right one").unwrap();
    for (handler, pass_on) in HANDLERS {
        let accepts = |sender: &AppSecret| {
            let body = format!("{}\n", fixtures::UNREPLIED).into_bytes();
            let signature = sender.sign(&body).to_string();
            verified(&pass_on(&body), Some(&signature)) == "ok"
        };
        let is_unchanged = handler == "passes on the bytes";
        assert!(!accepts(&of_the_platform), "{handler}");
        assert_eq!(accepts(&secret()), is_unchanged, "{handler}");
    }
}

#[test]
fn a_body_that_is_something_other_than_the_json_of_the_platform_is_called_what_it_is() {
    let json = Body::unreplied().text();
    let as_string = json!(json).to_string();
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV*K-*\xce\xcc\xcfS";
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let not_json = "the body is not JSON that can be read: ";
    let rows: [(&str, &[u8], &str); 15] = [
        ("an empty body", b"", "the body ends too early: EOF while parsing a value; the body is empty"),
        ("only a line end", b"\r\n", "the body ends too early: EOF while parsing a value; the body is empty"),
        ("a form", b"event=UNREPLIED&created_at=1765439941", "is the body a form, such as a=b&c=d?"),
        ("JSON in a form", b"payload=%7B%22event%22%3A1%7D", "is the body a form, such as a=b&c=d?"),
        ("JSON in a form, not escaped", b"payload={\"event\":1}", "is the body a form, such as a=b&c=d?"),
        ("escaped keys in a form", b"content%5B0%5D.visitor_name-A+9=x", "is the body a form, such as a=b&c=d?"),
        ("a multipart form", b"--4711\r\nContent-Disposition: form-data", "is the body a multipart form?"),
        ("a byte order mark", &[b"\xef\xbb\xbf", json.as_bytes()].concat(), "starts with a byte order mark (BOM)"),
        ("UTF-16", &utf16, "the body is not UTF-8 (line 1, column 1)"),
        ("gzip", gzip, "expected value; is the body compressed?"),
        ("base64 of an API gateway", b"eyJjcmVhdGVkX2F0IjoxNzY1NDM5OTQxfQ==", "is the body encoded in base64?"),
        ("the text of a Python dict", b"{'created_at': 1}", "JSON has double quotes, not single ones"),
        ("the text of a JavaScript object", b"[object Object]", "sent as text, without JSON.stringify"),
        ("JSON in a string", as_string.as_bytes(), "found a string; is this JSON inside a JSON string?"),
        ("a list of bodies", b"[{}]", "expected an object, found an array"),
    ];
    for (mistake, body, expected) in rows {
        let answer = answer(body);
        assert!(answer.contains(expected), "{mistake}: {answer}");
        let kind = match Payload::from_slice(body).unwrap_err().kind() {
            DecodeErrorKind::Syntax => answer.starts_with(not_json) || answer.starts_with("the body is not UTF-8"),
            DecodeErrorKind::Truncated => answer.starts_with("the body ends too early: "),
            _ => answer.starts_with("expected an object, "),
        };
        assert!(kind, "{mistake}: {answer}");
    }
}

#[test]
fn a_body_with_none_of_these_mistakes_gets_no_hint() {
    for body in
        ["x", "{]", "=a", "a b=c", "{\"a\"=1}", "nul", "1.2.3", "\u{1f600}=1", "eyes", "-1-", "{\"subject\": 'a=b'}"]
    {
        assert!(!answer(body).contains(';'), "{body}: {}", answer(body));
    }
    // A body that is cut within its first character is not empty.
    assert!(!answer(b"\xf0\x9f").contains("empty"));
}

#[test]
fn a_hint_shows_nothing_of_the_body() {
    for body in ["visitor=Visitor15&event=5", "payload={\"visitor\":\"Visitor15\"}", "--Visitor15", "{'Visitor15': 1}"]
    {
        let error = Payload::from_slice(body.as_bytes()).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("isitor"), "{shown}");
        }
    }
}

#[test]
fn a_field_in_another_form_is_named_with_the_form_that_it_should_have() {
    let item = Body::unreplied().value()["content"][0].to_string();
    let content = json!(Body::unreplied().value()["content"].to_string()).to_string();
    for (mistake, body, expected) in [
        ("milliseconds", Body::unreplied().set("created_at", "1765439941000"), "are these milliseconds?"),
        (
            "a date",
            Body::unreplied().set("created_at", r#""2025-12-11T07:59:01Z""#),
            "UNREPLIED created_at: expected Unix seconds, found a string",
        ),
        (
            "content as JSON in a string",
            Body::unreplied().set("content", &content),
            "UNREPLIED content: expected an array, found a string",
        ),
        (
            "one item without its array",
            Body::unreplied().set("content", &item),
            "UNREPLIED content: expected an array, found an object",
        ),
        ("another field name", Body::unreplied().without("event").add("type", "1"), "event: the field is missing"),
    ] {
        let answer = answer(body.text());
        assert!(answer.contains(expected), "{mistake}: {answer}");
    }
    let envelope_left_out = answer(item);
    assert!(envelope_left_out.contains("event: the field is missing"), "{envelope_left_out}");
}

#[test]
fn an_event_name_in_another_case_is_called_that_by_validation() {
    let body = fixtures::UNREPLIED.replace("UNREPLIED", "unreplied");
    let error = Payload::from_slice(body.as_bytes()).unwrap().validate().unwrap_err();
    assert_eq!(error.to_string(), "event: must be in upper case, as the name of the documented event is");
}

#[test]
fn an_old_fixture_in_a_test_of_a_handler_is_called_old() {
    let now = Timestamp::from_unix(1_796_975_941).unwrap();
    let error = fixtures::unreplied().check_freshness(now, Duration::from_secs(600)).unwrap_err();
    assert_eq!(error.to_string(), "sent 31536000 s ago, which is too long");
    let in_milliseconds = Timestamp::from_unix(1_765_439_941_000).unwrap_err();
    assert!(in_milliseconds.to_string().contains("milliseconds"), "{in_milliseconds}");
}

#[test]
fn a_handler_hears_which_of_its_two_steps_has_failed() {
    let verifier = Verifier::new(secret());
    let signature = |body: &[u8]| secret().sign(body).to_string();
    let form = b"event=UNREPLIED";
    let error = verifier.decode(form, Some(signature(form).as_bytes())).unwrap_err();
    assert!(matches!(error, ReceiveError::Decode(_)), "{error}");
    let error = verifier.decode(form, Some(signature(b"{}").as_bytes())).unwrap_err();
    assert_eq!(error, ReceiveError::Signature(SignatureError::Mismatch));
}
