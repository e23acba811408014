//! The log.

use std::fs;

use serde_json::Value;
use twt_chat_webhooks::fixtures;

use crate::support::{
    Answer, NOWHERE, Receiver, StubChannel, TOKEN, command, eventually, folder, message, telling_body,
};

#[test]
fn a_wrong_filter_or_format_is_found_at_the_start() {
    for (name, value, expected) in [
        ("LOG", "info,receiver=loud", "LOG: "),
        ("LOG", "inof", "LOG: \"inof\" is not a level: expected off, error, warn, info, debug or trace"),
        ("LOG", "warn,[", "LOG: "),
        ("LOG_FORMAT", "yaml", "LOG_FORMAT: expected `text` or `json`"),
    ] {
        let output = command(&folder()).env(name, value).env("ADDR", NOWHERE).output().unwrap();
        let problem = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}={value}: {problem}");
        assert!(problem.starts_with(&format!("receiver: {expected}")) && problem.lines().count() == 1, "{problem}");
    }
}

#[test]
fn the_filter_says_what_is_logged() {
    for (filter, logs_requests, logs_failures) in [
        ("", true, true),
        ("info,receiver::server=off", false, true),
        ("info,receiver::attempt=error", true, false),
        ("receiver=debug", true, true),
        ("warn,[request{path}]=info,receiver=info", true, true),
    ] {
        let folder = folder();
        let mut command = command(&folder);
        command.env("LOG", filter);
        let mut receiver = Receiver::spawn(&folder, command);
        assert_eq!(receiver.deliver(message("Visitor15", "panic", 1).to_vec()), 200);
        eventually("the attempt has failed", || receiver.list()[0]["problem"] == "the work panicked");
        let (request, failure) = (": 200 in ", "WARN item 1, attempt 1: the work panicked");
        for (line, is_logged) in [(request, logs_requests), (failure, logs_failures)] {
            if is_logged {
                receiver.logs(line);
            }
        }
        assert!(receiver.stop().success());
        let log = receiver.log();
        assert_eq!(log.contains(request), logs_requests, "{filter}: {log}");
        assert_eq!(log.contains(failure), logs_failures, "{filter}: {log}");
    }
}

#[test]
fn each_line_of_a_json_log_is_an_object() {
    let folder = folder();
    let mut json = command(&folder);
    json.env("LOG_FORMAT", "json");
    let mut receiver = Receiver::spawn(&folder, json);
    assert_eq!(receiver.post(fixtures::UNREPLIED, None).0, 403);
    assert_eq!(receiver.deliver(message("Visitor15", "panic", 1).to_vec()), 200);
    eventually("the attempt has failed", || receiver.log().contains("the work panicked"));
    receiver.stop();
    let lines: Vec<Value> = receiver.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |part: &str| {
        let is_it = |line: &&Value| line["message"].as_str().unwrap().contains(part);
        lines.iter().find(is_it).unwrap_or_else(|| panic!("no line with {part}: {lines:?}"))
    };
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()));
    assert_eq!(line("403 in ")["span"]["path"], "/webhooks/twt-chat");
    assert_eq!(line("403 in ")["span"]["method"], "POST");
    assert_eq!(line("item 1, attempt 1: the work panicked")["level"], "WARN");
    assert_eq!(line("panic at ")["level"], "ERROR");
    // The line that says why the receiver ends is an object too.
    for (name, value) in [("ADDR", "127.0.0.1:99999"), ("TWT_APP_SECRET", "")] {
        let output = command(&folder).env("LOG_FORMAT", "json").env(name, value).output().unwrap();
        let lines = String::from_utf8(output.stderr).unwrap();
        let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!(last["level"], "ERROR", "{lines}");
    }
}

#[test]
fn no_filter_brings_a_visitor_or_a_credential_into_the_log() {
    for format in ["text", "json"] {
        let folder = folder();
        let slack =
            StubChannel::start("slack", &[Answer::Text("500 Internal Server Error", "47114711"), Answer::Taken]);
        let mut command = command(&folder);
        command.env("LOG", "trace").env("LOG_FORMAT", format).env("SLACK_WEBHOOK_URL", &slack.url);
        let receiver = Receiver::spawn(&folder, command);
        assert_eq!(receiver.deliver(telling_body()), 200);
        assert_eq!(receiver.deliver(message("Visitor-Ada", "panic", 1).to_vec()), 200);
        eventually("both messages are sent", || slack.requests().len() == 3);
        eventually("the work has failed", || receiver.log().contains("the work panicked"));
        let log = receiver.log();
        for secret in ["47114711", "Visitor-Ada", TOKEN, "s3cret"] {
            assert!(!log.contains(secret), "{secret}: {log}");
        }
        assert!(fs::read_to_string(folder.join("work")).unwrap().contains("Visitor-Ada"));
    }
}
