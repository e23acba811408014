//! A signature is verified over the raw body, before the body is decoded.

use core::error::Error;
use core::hash::{BuildHasher, BuildHasherDefault};
use std::collections::HashSet;
use std::hash::DefaultHasher;

use twt_chat_webhooks::{
    AppSecret, DecodeErrorKind, Payload, ReceiveError, SIGNATURE_HEADER, SecretError, Signature, SignatureError,
    Verifier, fixtures, signature,
};

const SECRET: &str = "s3cret of example.com";

fn secret() -> AppSecret {
    AppSecret::new(SECRET).unwrap()
}

/// A body, and its signature with [`SECRET`]. Another implementation of HMAC-SHA256 computed this signature and those
/// in [`bodies_are_signed_byte_for_byte`].
const BODY: &[u8] = include_bytes!("fixtures/signed.json");
const SIGNATURE: &str = "60b164e80f120f2808e81f18c32cccd40bc1c8e2d027c4f93dba2b959a6b9114";

#[test]
fn signatures_match_the_test_cases_of_rfc_4231() {
    let counting: Vec<u8> = (1..=25).collect();
    let cases: [(&[u8], &[u8], &str); 7] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        // The RFC gives only the first half of this signature.
        (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. \
              The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (index, (key, body, expected)) in cases.into_iter().enumerate() {
        let secret = AppSecret::new(key).unwrap();
        let signature = secret.sign(body).to_string();
        assert_eq!(signature.get(..expected.len()), Some(expected), "test case {}", index + 1);
        assert_eq!(Verifier::new(secret).verify(body, Some(signature.as_bytes())), Ok(0), "test case {}", index + 1);
    }
}

#[test]
fn bodies_are_signed_byte_for_byte() {
    let cases: [(&[u8], &str); 8] = [
        (BODY, SIGNATURE),
        (b"", "b79ec9d26ebe2b07c72dc977d591d7a087bdab0eb740b6181dcd318086a60bbd"),
        ("👋🏽 Grüße, 你好".as_bytes(), "bfd12dbdf714883122e3ff237b39d668711285a93011552845f95d2f0a6f7e7c"),
        (br#"{"text":"\u00e9\n\/"}"#, "95dfa2dd3e5ce5128eb54929051e0e7903379d45bf53be492b65efc42203a717"),
        (b"{\r\n\"a\": 1\r\n}\r\n", "54e6fee743b309134330fb8764e20b62a8e4cae14668d84a3fdae072deeba1b1"),
        (b"{\"text\":\"\xff\xfe\x80\"}", "f0b3550fe63cabf282d5cd9a1d2cec3746db7eeb9160ef47eb2173af4874e1dd"),
        (b"\xef\xbb\xbf{}", "0799b02b46e3ff7300f2e3bb80447e6af77ba2c12e86134fb3b8324ff17c7487"),
        (b"\0", "29c1788a2c727a5ca48b8d168ef1e1d48320ca45a85d9a7ce26187dba77727b8"),
    ];
    let verifier = Verifier::new(secret());
    for (body, expected) in cases {
        assert_eq!(secret().sign(body).to_string(), expected, "{}", body.escape_ascii());
        assert_eq!(verifier.verify(body, Some(expected.as_bytes())), Ok(0), "{}", body.escape_ascii());
    }
}

#[test]
fn a_body_that_was_encoded_again_does_not_match() {
    // The body was decoded and encoded.
    let signature = secret().sign(fixtures::UNREPLIED.as_bytes()).to_string();
    let rewritten = fixtures::UNREPLIED.parse::<Payload>().unwrap().to_vec();
    let verified = Verifier::new(secret()).verify(&rewritten, Some(signature.as_bytes()));
    assert_eq!(verified, Err(SignatureError::Mismatch));

    // The body is not UTF-8, and was converted to text with a replacement character.
    let body = b"{\"text\":\"\xff\"}";
    let signature = secret().sign(body).to_string();
    let text = String::from_utf8_lossy(body).into_owned();
    let verified = Verifier::new(secret()).verify(text.as_bytes(), Some(signature.as_bytes()));
    assert_eq!(verified, Err(SignatureError::Mismatch));
}

#[test]
fn any_byte_of_the_body_that_differs_is_a_mismatch() {
    let verifier = Verifier::new(secret());
    let mut body = BODY.to_vec();
    for index in 0..body.len() {
        for bit in 0..8 {
            body[index] ^= 1 << bit;
            let verified = verifier.verify(&body, Some(SIGNATURE.as_bytes()));
            assert_eq!(verified, Err(SignatureError::Mismatch), "bit {bit} of byte {index}");
            body[index] ^= 1 << bit;
        }
    }
    for changed in [&BODY[1..], &BODY[..BODY.len() - 1], b"", &[BODY, b"\n"].concat(), &[BODY, BODY].concat()] {
        assert_eq!(verifier.verify(changed, Some(SIGNATURE.as_bytes())), Err(SignatureError::Mismatch));
    }
    assert_eq!(verifier.verify(&body, Some(SIGNATURE.as_bytes())), Ok(0));
}

#[test]
fn any_digit_of_the_signature_that_differs_is_a_mismatch() {
    let verifier = Verifier::new(secret());
    for index in 0..SIGNATURE.len() {
        let mut header = SIGNATURE.as_bytes().to_vec();
        header[index] = if header[index] == b'0' { b'1' } else { b'0' };
        assert_eq!(verifier.verify(BODY, Some(&header)), Err(SignatureError::Mismatch), "digit {index}");
    }
}

#[test]
fn each_kind_of_header_has_its_own_outcome() {
    let upper = SIGNATURE.to_uppercase();
    let (first_half, second_half) = SIGNATURE.split_at(32);
    let mixed = format!("{}{second_half}", first_half.to_uppercase());
    for accepted in [SIGNATURE, &upper, &mixed] {
        assert_eq!(Verifier::new(secret()).verify(BODY, Some(accepted.as_bytes())), Ok(0), "{accepted}");
    }

    let verify = |header: &[u8]| Verifier::new(secret()).verify(BODY, Some(header));
    let malformed = [
        String::new(),
        " ".into(),
        "0".into(),
        first_half.into(),
        SIGNATURE[..63].into(),
        SIGNATURE[..62].into(),
        format!("{SIGNATURE}0"),
        format!("{SIGNATURE}00"),
        SIGNATURE.repeat(2),
        format!("sha256={SIGNATURE}"),
        format!("0x{SIGNATURE}"),
        format!(" {SIGNATURE}"),
        format!("{SIGNATURE}\n"),
        format!(" {} ", &SIGNATURE[..62]),
        // This header has 64 bytes, but its full-width digits are not hex digits.
        format!("0{}", "０".repeat(21)),
    ];
    for header in malformed {
        assert_eq!(verify(header.as_bytes()), Err(SignatureError::Malformed), "{header:?}");
    }
    // Bytes next to the hex digits in ASCII, and some others, at every place.
    for not_a_digit in *b"/:@G`g +-_\0\x80\xe9\xff" {
        for index in 0..64 {
            let mut header = SIGNATURE.as_bytes().to_vec();
            header[index] = not_a_digit;
            assert_eq!(verify(&header), Err(SignatureError::Malformed), "{}", header.escape_ascii());
        }
    }

    assert_eq!(Verifier::new(secret()).verify(BODY, None), Err(SignatureError::Missing));
    assert_eq!(verify(&[b'0'; 64]), Err(SignatureError::Mismatch));
    assert_eq!(SIGNATURE_HEADER, "x-chat-signature");
    assert_eq!(signature::SIGNATURE_HEADER, SIGNATURE_HEADER);
}

#[test]
fn verify_returns_the_index_of_the_secret_that_matched() {
    let secrets = ["first", "second", "third"].map(|secret| AppSecret::new(secret).unwrap());
    let [first, second, third] = secrets.clone();
    let verifier = Verifier::new(first).also(second).also(third);
    for (index, secret) in secrets.iter().enumerate() {
        let signature = secret.sign(BODY).to_string();
        assert_eq!(verifier.verify(BODY, Some(signature.as_bytes())), Ok(index));
    }
    assert_eq!(verifier.verify(BODY, Some(SIGNATURE.as_bytes())), Err(SignatureError::Mismatch));
}

#[test]
fn a_verifier_can_be_used_again_after_a_mismatch() {
    let verifier = Verifier::new(secret());
    assert_eq!(verifier.verify(b"other", Some(SIGNATURE.as_bytes())), Err(SignatureError::Mismatch));
    assert_eq!(verifier.verify(BODY, Some(SIGNATURE.as_bytes())), Ok(0));
    assert_eq!(verifier.verify(BODY, Some(SIGNATURE.as_bytes())), Ok(0));
}

#[test]
fn a_body_without_a_valid_signature_is_not_decoded() {
    let verifier = Verifier::new(secret());
    let not_json = b"not JSON";
    for (header, expected) in [
        (None, SignatureError::Missing),
        (Some(&b"nonsense"[..]), SignatureError::Malformed),
        (Some(SIGNATURE.as_bytes()), SignatureError::Mismatch),
    ] {
        assert_eq!(verifier.decode(not_json, header), Err(ReceiveError::Signature(expected)));
        assert_eq!(verifier.decode_partial(not_json, header), Err(ReceiveError::Signature(expected)));
    }

    let header = secret().sign(not_json).to_string();
    let Err(ReceiveError::Decode(error)) = verifier.decode(not_json, Some(header.as_bytes())) else {
        panic!("the body is not JSON and should be refused")
    };
    assert_eq!(error.kind(), DecodeErrorKind::Syntax);
    assert_eq!(verifier.decode_partial(not_json, Some(header.as_bytes())), Err(ReceiveError::Decode(error)));
}

#[test]
fn a_verified_body_is_decoded() {
    let verifier = Verifier::new(secret());
    let decoded = Payload::from_slice(BODY).map_err(ReceiveError::Decode);
    assert_eq!(verifier.decode(BODY, Some(SIGNATURE.as_bytes())), decoded);

    let body = fixtures::UNREPLIED.replace(r#""push_times": 4"#, r#""push_times": "four""#);
    let header = secret().sign(body.as_bytes()).to_string();
    let Err(ReceiveError::Decode(error)) = verifier.decode(body.as_bytes(), Some(header.as_bytes())) else {
        panic!("the malformed body should be refused")
    };
    assert_eq!(error.path(), "content[0].push_times");
    let partial = verifier.decode_partial(body.as_bytes(), Some(header.as_bytes())).unwrap();
    assert_eq!(partial.rejected[0].error.path(), "content[0].push_times");
}

#[test]
fn a_signed_payload_passes_the_verifier() {
    for payload in [fixtures::unreplied(), fixtures::pre_chat_form_submit(), fixtures::offline_form_submit()] {
        let signed = secret().sign_payload(&payload);
        assert_eq!(signed.body, payload.to_vec());
        assert_eq!(signed.signature, secret().sign(&signed.body));
        let (name, value) = signed.header();
        assert_eq!((name, value.as_str()), (SIGNATURE_HEADER, signed.signature.to_string().as_str()));
        assert_eq!(Verifier::new(secret()).decode(&signed.body, Some(value.as_bytes())), Ok(payload));
    }
}

#[test]
fn a_blank_secret_is_refused() {
    for blank in ["", " ", "\n", "\r\n", " \t ", "\u{a0}", "\u{3000}\u{200b}", "\u{feff}"] {
        assert_eq!(AppSecret::new(blank).unwrap_err(), SecretError::Empty, "{blank:?}");
    }
}

#[test]
fn white_space_around_a_secret_is_refused() {
    for space in
        [" ", "\t", "\n", "\r", "\r\n", "\u{85}", "\u{a0}", "\u{2009}", "\u{2028}", "\u{3000}", "\u{200b}", "\u{feff}"]
    {
        for pasted in [format!("{space}{SECRET}"), format!("{SECRET}{space}"), format!("{space}{SECRET}{space}")] {
            assert_eq!(AppSecret::new(&pasted).unwrap_err(), SecretError::SurroundingWhitespace, "{pasted:?}");
        }
        let inside = format!("a{space}b");
        assert!(AppSecret::new(&inside).is_ok(), "{inside:?}");
    }
    // The same rule holds for a secret that is not UTF-8.
    assert_eq!(AppSecret::new(b"\xff\n").unwrap_err(), SecretError::SurroundingWhitespace);
    assert_eq!(AppSecret::new(b"\n\xff").unwrap_err(), SecretError::SurroundingWhitespace);
    assert_eq!(AppSecret::new(b"\xff\xe2\x80\xa8").unwrap_err(), SecretError::SurroundingWhitespace);
    // These secrets have no white space at their ends. `\x80\xa8` is only the end of U+2028 in UTF-8, and `\xa0` is a
    // space only in Latin-1.
    assert!(AppSecret::new(b"s3cret\x80\xa8").is_ok());
    assert!(AppSecret::new(b"\xff").is_ok());
    assert!(AppSecret::new(b"\xff \xff").is_ok());
    assert!(AppSecret::new(b"\xa0\xff\xa0").is_ok());
}

#[test]
fn a_secret_in_quotation_marks_is_refused() {
    for mark in ['"', '\'', '`'] {
        for quoted in [format!("{mark}{SECRET}{mark}"), format!("{mark}{mark}"), format!("{mark}a{mark}b{mark}")] {
            assert_eq!(AppSecret::new(&quoted).unwrap_err(), SecretError::Quoted, "{quoted}");
        }
        // A mark at one end only, or inside, may belong to the secret.
        for other in [format!("{mark}"), format!("{mark}{SECRET}"), format!("{SECRET}{mark}"), format!("a{mark}b")] {
            assert!(AppSecret::new(&other).is_ok(), "{other}");
        }
    }
    assert!(AppSecret::new("\"s3cret'").is_ok());
    assert_eq!(AppSecret::new(b"\"\xff\"").unwrap_err(), SecretError::Quoted);
    assert_eq!(AppSecret::new("\"s3cret\"\n").unwrap_err(), SecretError::SurroundingWhitespace);
}

#[test]
fn debug_shows_no_secret() {
    let secret = AppSecret::new("hunter2").unwrap();
    assert_eq!(format!("{secret:?}"), "AppSecret { .. }");
    let verifier = Verifier::new(secret.clone()).also(secret);
    assert_eq!(format!("{verifier:?}"), "Verifier { secrets: [AppSecret { .. }, AppSecret { .. }] }");
    for shown in [format!("{verifier:#?}"), format!("{:?}", AppSecret::new("hunter2\n"))] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn debug_of_a_signed_body_shows_only_the_signature() {
    let mut signed = secret().sign_payload(&fixtures::unreplied());
    assert_eq!(format!("{signed:?}"), format!("SignedBody {{ signature: {:?}, .. }}", signed.signature));
    let shown = format!("{signed:#?}");
    signed.body = b"Visitor15".to_vec();
    assert_eq!(format!("{signed:#?}"), shown);
}

#[test]
fn a_signature_is_read_and_written_as_hex() {
    let signature: Signature = SIGNATURE.to_uppercase().parse().unwrap();
    assert_eq!(signature.to_string(), SIGNATURE);
    assert_eq!(format!("{signature:?}"), format!("Signature({SIGNATURE})"));
    for malformed in ["", &SIGNATURE[..62], &format!("sha256={SIGNATURE}"), &"é".repeat(32)] {
        assert_eq!(malformed.parse::<Signature>(), Err(SignatureError::Malformed), "{malformed:?}");
    }
    // Every value of a byte, at both ends of the signature.
    for byte in 0..=u8::MAX {
        let text = format!("{byte:02x}{}{byte:02x}", "00".repeat(30));
        assert_eq!(text.parse::<Signature>().unwrap().to_string(), text);
    }
}

#[test]
fn a_signature_converts_from_and_to_bytes() {
    let signature: Signature = SIGNATURE.parse().unwrap();
    assert_eq!(Signature::from_bytes(*signature.as_bytes()), signature);
    assert_eq!(signature.as_bytes().map(|byte| format!("{byte:02x}")).concat(), SIGNATURE);

    let counting: [u8; 32] = core::array::from_fn(|index| u8::try_from(index).unwrap());
    let signature = Signature::from_bytes(counting);
    assert_eq!(signature.as_bytes(), &counting);
    assert_eq!(signature.to_string(), "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

#[test]
fn signatures_are_equal_if_all_their_bytes_are_equal() {
    let signature: Signature = SIGNATURE.parse().unwrap();
    assert_eq!(signature, secret().sign(BODY));
    let hash = |signature: Signature| BuildHasherDefault::<DefaultHasher>::default().hash_one(signature);
    let mut seen = HashSet::from([signature]);
    assert!(!seen.insert(secret().sign(BODY)));
    for index in 0..32 {
        let mut digits = SIGNATURE.to_owned();
        let other = if &digits[2 * index..=2 * index] == "0" { "1" } else { "0" };
        digits.replace_range(2 * index..=2 * index, other);
        let other: Signature = digits.parse().unwrap();
        assert_ne!(other, signature, "byte {index}");
        assert!(seen.insert(other), "byte {index}");
        assert_ne!(hash(other), hash(signature), "byte {index}");
    }
}

#[test]
fn the_errors_say_what_is_wrong() {
    for (error, text) in [
        (SignatureError::Missing, "the request has no header x-chat-signature"),
        (
            SignatureError::Malformed,
            "the signature is not 64 hex digits; base64, a prefix such as sha256= and white space are not accepted",
        ),
        (
            SignatureError::Mismatch,
            "the signature does not match the body: the secret is wrong, or the body is not as it was signed",
        ),
    ] {
        assert_eq!(error.to_string(), text);
        let error = ReceiveError::from(error);
        assert_eq!(error.to_string(), text);
        assert_eq!(error.http_status(), 403);
        assert!(error.source().is_none());
    }
    assert_eq!(SecretError::Empty.to_string(), "the secret is empty");
    assert_eq!(SecretError::SurroundingWhitespace.to_string(), "the secret starts or ends with white space");
    assert_eq!(SecretError::Quoted.to_string(), "the secret is in quotation marks");

    let error = Payload::from_slice(b"").unwrap_err();
    let text = error.to_string();
    let error = ReceiveError::from(error);
    assert_eq!(error.to_string(), text);
    assert_eq!(error.http_status(), 200);
    assert!(error.source().is_none());
}
