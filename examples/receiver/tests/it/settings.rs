//! The settings from the environment: those that are wrong are refused at the start.

use twt_chat_webhooks::fixtures;

use crate::operation::error;
use crate::support::{NOWHERE, Receiver, command, folder};

#[test]
fn a_wrong_secret_is_found_at_the_start() {
    for (secret, old, expected) in [
        (None, None, "TWT_APP_SECRET is not set: start with TWT_APP_SECRET="),
        (Some(""), None, "TWT_APP_SECRET is not set: start with TWT_APP_SECRET="),
        (Some(" "), None, "TWT_APP_SECRET: the secret is empty"),
        (Some("new\n"), None, "TWT_APP_SECRET: the secret starts or ends with white space"),
        (Some("new"), Some(" old"), "TWT_APP_SECRET_OLD: the secret starts or ends with white space"),
    ] {
        let mut command = command(&folder());
        command.env_remove("TWT_APP_SECRET").envs(secret.map(|secret| ("TWT_APP_SECRET", secret)));
        let (code, problem) = error(&command.envs(old.map(|old| ("TWT_APP_SECRET_OLD", old))).output().unwrap());
        assert_eq!(code, Some(2));
        assert!(problem.starts_with(&format!("receiver: {expected}")) && problem.lines().count() == 1, "{problem}");
    }
}

#[test]
fn a_wrong_url_is_refused_at_the_start_and_not_shown() {
    for (name, value) in [
        ("SLACK_WEBHOOK_URL", "hooks.example.com/T0KEN"),
        ("FEISHU_WEBHOOK_URL", "ftp://example.com/T0KEN"),
        ("DINGTALK_WEBHOOK_URL", "https:///T0KEN"),
        ("WECOM_WEBHOOK_URL", " https://example.com/T0KEN"),
        ("SLACK_WEBHOOK_URL", "T0KEN"),
        ("SLACK_WEBHOOK_URL", "http://example.com:99999/T0KEN"),
        ("SLACK_WEBHOOK_URL", "http://ada:T0KEN@example.com:/"),
        ("SLACK_WEBHOOK_URL", "file:///T0KEN"),
    ] {
        let output = command(&folder()).env(name, value).env("ADDR", NOWHERE).output().unwrap();
        let problem = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}={value}");
        let expected = format!("receiver: {name}: expected an http or https URL\n");
        assert_eq!(problem, expected);
    }
    let mut command = command(&folder());
    command.env("FEISHU_WEBHOOK_URL", "https://example.com/T0KEN").env("FEISHU_SECRET", "T0KEN\n");
    let output = command.env("ADDR", NOWHERE).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let expected = "receiver: FEISHU_SECRET: expected a text without white space around it\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn an_address_or_an_inbox_that_cannot_be_one_is_refused_and_not_shown() {
    for name in ["ADDR", "ADMIN_ADDR"] {
        for value in ["nowhere", ":3000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999"] {
            let (code, problem) = error(&command(&folder()).env(name, value).output().unwrap());
            let expected = format!("receiver: {name}: expected an address and a port, such as 127.0.0.1:3000\n");
            assert_eq!((code, problem), (Some(2), expected), "{value}");
        }
    }
    for inbox in
        ["mysql://ada:T0KEN@example.com/chat", "POSTGRES://ada:T0KEN@example.com/chat", "postgres://a:T0KEN@b:x"]
    {
        for (arguments, expected) in [(&[][..], 2), (&["list"], 1)] {
            let output = command(&folder()).env("INBOX", inbox).args(arguments).output().unwrap();
            let (code, problem) = error(&output);
            assert_eq!(code, Some(expected), "{problem}");
            assert!(problem.starts_with("receiver: INBOX") && !problem.contains("T0KEN"), "{problem}");
        }
    }
}

#[test]
fn a_secret_without_its_url_is_refused_at_the_start() {
    for channel in ["FEISHU", "DINGTALK"] {
        for url in [None, Some("")] {
            let mut command = command(&folder());
            command.env(format!("{channel}_SECRET"), "T0KEN").env("SLACK_WEBHOOK_URL", "https://example.com/T0KEN");
            command.envs(url.map(|url| (format!("{channel}_WEBHOOK_URL"), url))).env("ADDR", NOWHERE);
            let (code, problem) = error(&command.output().unwrap());
            let expected = format!("{channel}_SECRET is set, but {channel}_WEBHOOK_URL is not: set both or none");
            assert_eq!((code, problem), (Some(2), format!("receiver: {expected}\n")));
        }
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_at_the_start_and_not_shown() {
    for name in ["ALL_PROXY", "https_proxy", "HTTP_PROXY"] {
        for value in ["socks5://T0KEN.example.com:1080", "http://", "ftp://T0KEN.example.com", "T0KEN example.com"] {
            let mut command = command(&folder());
            command.env("SLACK_WEBHOOK_URL", "https://example.com/").env(name, value).env("ADDR", NOWHERE);
            let (code, problem) = error(&command.output().unwrap());
            let expected = "expected the URL of an HTTP proxy, such as http://proxy.example.com:3128";
            assert_eq!((code, problem), (Some(2), format!("receiver: {name}: {expected}\n")), "{value}");
        }
    }
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let folder = folder();
    let mut command = command(&folder);
    for name in ["SLACK", "FEISHU", "DINGTALK", "WECOM"] {
        command.env(format!("{name}_WEBHOOK_URL"), "").env(format!("{name}_SECRET"), "");
    }
    command.env("HTTPS_PROXY", "");
    let receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    assert_eq!(receiver.list().len(), 1);
}
