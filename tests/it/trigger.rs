//! The command of `examples/trigger.rs` sends a signed event, whatever the body and the URL contain.

use core::time::Duration;
use std::ffi::OsString;

use twt_chat_webhooks::{
    AppSecret, EventType, FreshnessError, Partial, Payload, ReceiveError, SignatureError, Timestamp, Verifier,
};

use crate::body::EVENT_OF_TOMORROW;

use self::example::{Command, Problem};

#[path = "../../examples/trigger.rs"]
#[allow(dead_code, reason = "the tests do not call `main`")]
mod example;

const URL: &str = "http://127.0.0.1:3000/webhooks/twt-chat";
const SECRET: &str = "s3cret";

/// A year after the documented bodies.
fn now() -> Timestamp {
    Timestamp::from_unix(1_796_975_941).unwrap()
}

fn command_and_note(arguments: &[&str], secret: &str, stdin: &[u8]) -> Result<Command, Problem> {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    example::command(&arguments, secret.as_bytes(), &mut &*stdin, now())
}

fn command(arguments: &[&str], secret: &str, stdin: &[u8]) -> Result<String, Problem> {
    Ok(command_and_note(arguments, secret, stdin)?.line)
}

fn assert_refused(arguments: &[&str], secret: &str, says: &str) {
    let problem = command(arguments, secret, b"").unwrap_err();
    assert_eq!(problem.exit_code(), 2, "{arguments:?}");
    assert!(problem.to_string().contains(says), "{arguments:?}: {problem}");
}

#[test]
fn wrong_arguments_show_the_usage() {
    for arguments in [
        &[][..],
        &["--help"],
        &["-"],
        &[""],
        &[URL, ""],
        &[URL, "UNREPLIED", "more"],
        &[URL, "--old"],
        &["--stale"],
        &[URL, "UNREPLIED", "--stale", "--old"],
    ] {
        assert_refused(arguments, SECRET, "usage: TWT_APP_SECRET=… trigger URL [EVENT] [OPTION]…");
    }
}

#[test]
fn options_that_would_change_what_is_sent_as_it_is_are_refused() {
    for option in ["--stale", "--bad-item"] {
        assert_refused(&[URL, "-", option], SECRET, "sent unchanged");
    }
    assert_refused(&[URL, EVENT_OF_TOMORROW, "--bad-item"], SECRET, "an unknown event has no bad items");
}

#[test]
fn a_note_names_the_documented_events_if_the_event_is_none_of_them() {
    for event in [EVENT_OF_TOMORROW, "unreplied", "UNREPLIED "] {
        let note = command_and_note(&[URL, event], SECRET, b"").unwrap().note.unwrap();
        assert!(note.starts_with(&format!("{event:?} is not a documented event.")), "{note}");
        assert!(EventType::DOCUMENTED.iter().all(|documented| note.contains(documented.as_str())), "{note}");
    }
    for arguments in [&[URL][..], &[URL, "PRE_CHAT_FORM_SUBMIT"], &[URL, "-"], &[URL, "--stale"]] {
        assert_eq!(command_and_note(arguments, SECRET, b"").unwrap().note, None, "{arguments:?}");
    }
}

#[test]
fn without_a_secret_the_example_says_how_to_set_one() {
    for secret in ["", " ", "s3cret\n"] {
        assert_refused(&[URL], secret, "set TWT_APP_SECRET to the AppSecret");
    }
    let problem = command(&[URL], "s3cret\n", b"").unwrap_err().to_string();
    assert!(!problem.contains("s3cret\n"), "{problem}");
}

#[test]
fn the_command_is_one_line_of_printable_ascii() {
    let body: Vec<u8> = (0..=u8::MAX).collect();
    let printed = command(&[URL, "-"], SECRET, &body).unwrap();
    assert!(printed.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{printed}");

    let printed = command(&[URL, EVENT_OF_TOMORROW, "--repeated"], SECRET, b"").unwrap();
    assert!(printed.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{printed}");

    let printed = command(&[URL], SECRET, b"").unwrap();
    assert!(printed.starts_with(r#"printf '{"created_at":1796975941,"event":"UNREPLIED","#), "{printed}");
    assert!(!printed.contains(SECRET), "{printed}");
}

/// Runs the command in `sh`, with a shell function in the place of `curl`.
#[cfg(unix)]
mod sent {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    #[derive(PartialEq, Debug)]
    struct Request {
        arguments: Vec<String>,
        body: Vec<u8>,
    }

    impl Request {
        /// The value that follows an option of `curl`.
        fn values(&self, option: &str) -> Vec<&str> {
            let pairs = self.arguments.windows(2).filter(|pair| pair[0] == option);
            pairs.map(|pair| pair[1].as_str()).collect()
        }

        fn header(&self, name: &str) -> &str {
            let headers = self.values("--header");
            let mut values = headers.iter().filter_map(|header| header.strip_prefix(name)?.strip_prefix(": "));
            values.next().unwrap()
        }

        fn decode_partial(&self) -> Result<Partial, ReceiveError> {
            let verifier = Verifier::new(AppSecret::new(SECRET).unwrap());
            verifier.decode_partial(&self.body, Some(self.header("x-chat-signature").as_bytes()))
        }

        fn decode(&self) -> Payload {
            let partial = self.decode_partial().unwrap();
            assert_eq!(partial.rejected, []);
            partial.payload
        }
    }

    /// Prints each argument with a NUL behind it, then an empty argument as the end, then the body.
    const CURL: &str = "curl() { for argument; do printf '%s\\000' \"$argument\"; done; printf '\\000'; cat; }\n";

    fn output(arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
        let script = CURL.to_owned() + &command(arguments, SECRET, stdin).unwrap() + "\n";
        let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    fn request(mut output: &[u8]) -> Request {
        let mut arguments = Vec::new();
        loop {
            let end = output.iter().position(|&byte| byte == 0).unwrap();
            let argument = String::from_utf8(output[..end].to_vec()).unwrap();
            output = &output[end + 1..];
            if argument.is_empty() {
                return Request { arguments, body: output.to_vec() };
            }
            arguments.push(argument);
        }
    }

    fn send(arguments: &[&str], stdin: &[u8]) -> Request {
        request(&output(arguments, stdin))
    }

    #[test]
    fn each_documented_event_is_sent_as_if_it_had_happened_now() {
        for event_type in EventType::DOCUMENTED {
            let request = send(&[URL, event_type.as_str()], b"");
            assert_eq!(request.values("--url"), [URL]);
            assert_eq!(request.values("--data-binary"), ["@-"]);
            assert_eq!(request.header("content-type"), "application/json");

            let payload = request.decode();
            assert_eq!(payload.event_type(), *event_type);
            assert_eq!(payload.validate(), Ok(()));
            assert_eq!(payload.check_freshness(now(), Duration::ZERO), Ok(()));
            let ages: Vec<_> = payload.contents().map(|item| (now() - item.created_at()).whole_seconds()).collect();
            assert_eq!(ages, [289]);
        }
    }

    #[test]
    fn the_event_is_unreplied_unless_another_is_named() {
        assert_eq!(send(&[URL], b"").decode().event_type(), EventType::Unreplied);
    }

    #[test]
    fn an_event_of_any_name_is_sent_as_if_it_had_happened_now() {
        for name in [EVENT_OF_TOMORROW, "unreplied", "it's 100 % 你好\n"] {
            let payload = send(&[URL, name], b"").decode();
            let unknown = payload.event.as_unknown().unwrap();
            assert_eq!(unknown.name(), name);
            assert_eq!(unknown.content()[0]["created_at"], now().unix_seconds() - 289);
            assert_eq!(payload.check_freshness(now(), Duration::ZERO), Ok(()));
        }
    }

    #[test]
    fn a_stale_event_was_sent_thirty_days_ago() {
        for event in ["UNREPLIED", EVENT_OF_TOMORROW] {
            let payload = send(&[URL, event, "--stale"], b"").decode();
            assert_eq!(payload.event.name(), event);
            let error = payload.check_freshness(now(), Duration::ZERO).unwrap_err();
            assert_eq!(error, FreshnessError::Stale { age: Duration::from_secs(30 * 24 * 60 * 60) });
        }
    }

    #[test]
    fn a_repeated_event_is_the_same_request_twice() {
        for arguments in [&[URL, "--repeated"][..], &["--repeated", URL, "OFFLINE_FORM_SUBMIT"]] {
            let once: Vec<_> = arguments.iter().copied().filter(|argument| *argument != "--repeated").collect();
            let output = output(arguments, b"");
            let (first, second) = output.split_at(output.len() / 2);
            assert_eq!([request(first), request(second)], [send(&once, b""), send(&once, b"")]);
        }
        assert_eq!(output(&[URL, "-", "--repeated"], b"{}"), output(&[URL, "-"], b"{}").repeat(2));
    }

    #[test]
    fn a_bad_item_stands_behind_a_good_one() {
        for event_type in EventType::DOCUMENTED {
            let Partial { payload, rejected, .. } =
                send(&[URL, event_type.as_str(), "--bad-item"], b"").decode_partial().unwrap();
            assert_eq!(payload, send(&[URL, event_type.as_str()], b"").decode());
            let [rejected] = rejected.try_into().unwrap();
            assert_eq!((rejected.index, rejected.error.path()), (1, "content[1].created_at"));
        }
    }

    #[test]
    fn a_wrong_signature_is_well_formed_and_does_not_match() {
        for (event, body) in [("UNREPLIED", ""), (EVENT_OF_TOMORROW, ""), ("-", ""), ("-", "{}")] {
            let request = send(&[URL, event, "--wrong-signature"], body.as_bytes());
            let refused = request.decode_partial().unwrap_err();
            assert_eq!(refused, ReceiveError::Signature(SignatureError::Mismatch), "{event} {body}");
            assert_eq!(request.body, send(&[URL, event], body.as_bytes()).body);
        }
    }

    #[test]
    fn all_options_go_together() {
        let options = ["--stale", "--repeated", "--bad-item", "--wrong-signature"];
        let output = output(&[&[URL, "UNREPLIED"][..], &options].concat(), b"");
        let (first, second) = output.split_at(output.len() / 2);
        assert_eq!(first, second);
        let request = request(first);
        assert!(request.decode_partial().is_err());
        let Partial { payload, rejected, .. } = Payload::from_slice_partial(&request.body).unwrap();
        assert_eq!((payload.contents().len(), rejected.len()), (1, 1));
        assert!(payload.check_freshness(now(), Duration::from_secs(3600)).is_err());
    }

    fn assert_sent_unchanged(body: &[u8]) {
        let request = send(&[URL, "-"], body);
        assert_eq!(request.body, body);
        let signature = AppSecret::new(SECRET).unwrap().sign(body).to_string();
        assert_eq!(request.header("x-chat-signature"), signature);
    }

    #[test]
    fn a_payload_from_standard_input_is_sent_unchanged() {
        let every_byte: Vec<u8> = (0..=u8::MAX).collect();
        let long = vec![b'\''; 300_000];
        for body in [
            &b""[..],
            b"\n",
            b"{}\r\n\n",
            b"@/etc/hostname",
            b"-v",
            b"--",
            b"'; exit 1; '",
            b"$(exit 1) `exit 1` ${HOME} \\ \\n \\0 \\c %s %% %d !!",
            b"EOF\n",
            b"\x001\x00",
            "{\"message_content\": \"it's 你好 😀\"}".as_bytes(),
            &every_byte,
            &long,
        ] {
            assert_sent_unchanged(body);
        }
    }

    #[test]
    fn a_url_is_one_argument() {
        for url in ["http://example.com/a?b=c&d=e;f", "http://[::1]:3000/{a,b}", "http://example.com/'$(exit 1)'/ x"] {
            assert_eq!(send(&[url], b"").values("--url"), [url]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_bytes_are_sent_unchanged(body in prop::collection::vec(any::<u8>(), 0..512)) {
            assert_sent_unchanged(&body);
        }
    }
}
