//! A request is accepted if and only if its header is the signature of its body.
//!
//! The input has three parts, separated by line feeds: the value of the header, a secret, and the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twt_chat_webhooks::{AppSecret, Payload, ReceiveError, SecretError, Signature, SignatureError, Verifier};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |&byte| byte == b'\n');
    let (Some(header), Some(secret), Some(body)) = (parts.next(), parts.next(), parts.next()) else { return };
    check_header(header);

    let accepted = AppSecret::new(secret);
    assert_eq!(accepted.as_ref().err(), refusal(secret).as_ref());
    let Ok(secret) = accepted else { return };
    let signature = secret.sign(body);
    let valid = signature.to_string();
    let verifier = Verifier::new(secret.clone());

    let expected = match str::from_utf8(header).map(str::parse::<Signature>) {
        Ok(Ok(given)) if given == signature => Ok(0),
        Ok(Ok(_)) => Err(SignatureError::Mismatch),
        _ => Err(SignatureError::Malformed),
    };
    assert_eq!(verifier.verify(body, Some(header)), expected);
    assert_eq!(verifier.verify(body, Some(valid.as_bytes())), Ok(0));
    assert_eq!(verifier.verify(body, None), Err(SignatureError::Missing));

    let other = AppSecret::new("of another account").unwrap();
    let both = Verifier::new(other.clone()).also(secret);
    assert_eq!(both.verify(body, Some(valid.as_bytes())), Ok(usize::from(other.sign(body) != signature)));

    assert_eq!(verifier.decode(body, Some(valid.as_bytes())), Payload::from_slice(body).map_err(ReceiveError::Decode));
    assert_eq!(
        verifier.decode_partial(body, Some(valid.as_bytes())),
        Payload::from_slice_partial(body).map_err(ReceiveError::Decode),
    );
    if let Err(error) = expected {
        assert_eq!(verifier.decode(body, Some(header)), Err(ReceiveError::Signature(error)));
    }
    let mut changed = body.to_vec();
    changed.push(b' ');
    assert_eq!(verifier.verify(&changed, Some(valid.as_bytes())), Err(SignatureError::Mismatch));
});

fn check_header(header: &[u8]) {
    let Ok(text) = str::from_utf8(header) else { return };
    let is_hex = header.len() == 64 && header.iter().all(u8::is_ascii_hexdigit);
    match text.parse::<Signature>() {
        Ok(signature) => assert!(is_hex && signature.to_string() == text.to_ascii_lowercase()),
        Err(error) => assert!(!is_hex && error == SignatureError::Malformed),
    }
}

/// The expected error for a secret, or `None` if the secret is valid.
fn refusal(secret: &[u8]) -> Option<SecretError> {
    let text = String::from_utf8_lossy(secret);
    let is_white_space = |char: char| match char {
        '\u{b}' | '\u{c}' => false,
        '\u{200b}' | '\u{feff}' => true,
        char => char.is_whitespace(),
    };
    if text.chars().all(is_white_space) {
        Some(SecretError::Empty)
    } else if text.starts_with(is_white_space) || text.ends_with(is_white_space) {
        Some(SecretError::SurroundingWhitespace)
    } else {
        let is_quoted = |mark| secret.len() > 1 && secret.starts_with(mark) && secret.ends_with(mark);
        (is_quoted(b"\"") || is_quoted(b"'") || is_quoted(b"`")).then_some(SecretError::Quoted)
    }
}
