//! The command of `examples/trigger.rs` sends a signed event, whatever the body and the URL contain.

use core::time::Duration;
use std::ffi::OsString;

use twt_chat_webhooks::{AppSecret, EventType, Payload, Timestamp, Verifier};

use self::example::Problem;

#[path = "../../examples/trigger.rs"]
#[allow(dead_code, reason = "the tests do not call `main`")]
mod example;

const URL: &str = "http://127.0.0.1:3000/webhooks/twt-chat";
const SECRET: &str = "s3cret";

/// A year after the documented bodies.
fn now() -> Timestamp {
    Timestamp::from_unix(1_796_975_941).unwrap()
}

fn command(arguments: &[&str], secret: &str, stdin: &[u8]) -> Result<String, Problem> {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    example::command(&arguments, secret.as_bytes(), &mut &*stdin, now())
}

fn assert_refused(arguments: &[&str], secret: &str, says: &str) {
    let problem = command(arguments, secret, b"").unwrap_err();
    assert_eq!(problem.exit_code(), 2, "{arguments:?}");
    assert!(problem.to_string().contains(says), "{arguments:?}: {problem}");
}

#[test]
fn wrong_arguments_show_the_usage() {
    for arguments in [&[][..], &["--help"], &["-"], &[""], &[URL, "UNREPLIED", "more"]] {
        assert_refused(arguments, SECRET, "usage: TWT_APP_SECRET=… trigger URL [EVENT]");
    }
}

#[test]
fn an_unknown_event_is_refused_with_the_names_of_the_documented_events() {
    for event in ["EVENT_OF_TOMORROW", "unreplied", "", "UNREPLIED "] {
        for documented in EventType::DOCUMENTED {
            assert_refused(&[URL, event], SECRET, documented.as_str());
        }
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

        fn decode(&self) -> Payload {
            let verifier = Verifier::new(AppSecret::new(SECRET).unwrap());
            verifier.decode(&self.body, Some(self.header("x-chat-signature").as_bytes())).unwrap()
        }
    }

    /// Prints each argument with a NUL behind it, then an empty argument as the end, then the body.
    const CURL: &str = "curl() { for argument; do printf '%s\\000' \"$argument\"; done; printf '\\000'; cat; }\n";

    fn send(arguments: &[&str], stdin: &[u8]) -> Request {
        let script = CURL.to_owned() + &command(arguments, SECRET, stdin).unwrap() + "\n";
        let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        assert!(output.status.success());

        let mut rest = output.stdout.as_slice();
        let mut arguments = Vec::new();
        loop {
            let end = rest.iter().position(|&byte| byte == 0).unwrap();
            let argument = String::from_utf8(rest[..end].to_vec()).unwrap();
            rest = &rest[end + 1..];
            if argument.is_empty() {
                return Request { arguments, body: rest.to_vec() };
            }
            arguments.push(argument);
        }
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
