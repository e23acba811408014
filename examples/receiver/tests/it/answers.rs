//! What the receiver does with each answer of a channel, without an answer, and through a proxy.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::channels::{done, row, start, start_in};
use crate::support::{
    Answer, HttpProxy, Receiver, StubChannel, TOKEN, command, count, count_in, eventually, execute, folder, forwarding,
    message, milliseconds, rows, run, telling_body, with_timings,
};

#[test]
fn slack_has_taken_a_message_with_status_200_whatever_follows() {
    let channels = [StubChannel::start("slack", &[Answer::CutOff, Answer::Endless, Answer::Text("200 OK", "")])];
    let receiver = start(&channels);
    for number in 1..=3 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    receiver.all_done();
    assert_eq!(channels[0].visitors(), ["Visitor1", "Visitor2", "Visitor3"]);
}

/// Checks that a failure is in the log, that the message is sent again, and that the other channels do not get their
/// messages again.
fn is_tried_again<const N: usize>(timings: &str, failures: [(&'static str, Answer, &str); N]) {
    let channels = failures.clone().map(|(name, answer, _)| StubChannel::start(name, &[answer, Answer::Taken]));
    let folder = folder();
    let mut command = forwarding(&folder, &channels);
    with_timings(&mut command, timings);
    let receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(telling_body()), 200);
    for (name, _, problem) in failures {
        let row = done(&receiver, name);
        receiver.logs(&format!(" to {name}, attempt 1: {problem}\n"));
        assert_eq!((&row["attempts"], &row["problem"]), (&json!(2), &json!(null)));
    }
    for channel in channels {
        assert_eq!(channel.requests().len(), 2, "{}", channel.name);
    }
    assert!(!receiver.log().contains(TOKEN) && !receiver.log().contains("Ada"), "{}", receiver.log());
}

#[test]
fn a_refusal_is_tried_again() {
    is_tried_again(
        "",
        [
            ("slack", Answer::Text("500 Internal Server Error", "rollup_error"), "status 500"),
            ("feishu", Answer::Text("200 OK", r#"{"code":11232,"msg":"frequency limited"}"#), "code 11232"),
            ("dingtalk", Answer::Text("200 OK", r#"{"errcode":130101,"errmsg":"send too fast"}"#), "errcode 130101"),
            ("wecom", Answer::Text("502 Bad Gateway", "<html>the proxy is away</html>"), "status 502"),
        ],
    );
}

#[test]
fn a_refusal_that_asks_for_a_pause_is_tried_again() {
    let refused = Answer::Text("403 Forbidden\r\nRetry-After: 1", "action_prohibited");
    let problem = "status 403: the workspace does not let this webhook post: ask an administrator of the workspace, \
                   asks for a pause of 1s";
    is_tried_again("", [("slack", refused, problem)]);
}

#[test]
fn a_row_whose_channel_needs_a_person_is_dead_at_once_and_says_what_to_do() {
    let refusals = [
        ("slack", "404 Not Found", "no_service", "status 404: the webhook was removed", "SLACK_WEBHOOK_URL"),
        ("feishu", "200 OK", r#"{"code":19021,"msg":"sign match fail"}"#, "code 19021: ", "FEISHU_SECRET"),
        ("dingtalk", "200 OK", r#"{"errcode":300001}"#, "errcode 300001: ", "DINGTALK_WEBHOOK_URL"),
        ("wecom", "200 OK", r#"{"errcode":93000}"#, "errcode 93000: ", "WECOM_WEBHOOK_URL"),
    ];
    let channels = refusals.map(|(name, status, body, ..)| StubChannel::start(name, &[Answer::Text(status, body)]));
    let receiver = start(&channels);
    assert_eq!(receiver.deliver(telling_body()), 200);
    eventually("all are dead", || count(&receiver.folder, "channel <> '' AND state = 'dead'") == 4);
    for (channel, (name, _, _, problem, variable)) in channels.iter().zip(refusals) {
        let row = row(&receiver, name);
        let id = row["id"].to_string();
        let shown = row["problem"].as_str().unwrap();
        assert_eq!(row["attempts"], 1, "{name}");
        assert!(shown.starts_with(problem) && shown.contains(&format!("set {variable}")), "{shown}");
        assert!(shown.ends_with(&format!("; then run `receiver retry {id}`")), "{shown}");
        receiver.logs(&format!("item {id} to {name}, attempt 1: {shown}\n"));
        assert_eq!(channel.requests().len(), 1, "{name}");

        channel.answer(&[Answer::Taken]);
        assert_eq!(run(&receiver.folder, &["retry", &id]).stdout, b"rows put back to waiting: 1\n");
    }
    receiver.all_done();
    for channel in channels {
        assert_eq!(channel.requests().len(), 2, "{}", channel.name);
    }
}

#[test]
fn a_connection_that_fails_is_tried_again() {
    is_tried_again(
        "",
        [
            ("slack", Answer::Closed, "the connection failed: unexpected end of file"),
            ("feishu", Answer::Endless, "the answer is too long"),
        ],
    );
    is_tried_again("answer=8000", [("dingtalk", Answer::Never, "no whole answer within 8s")]);
}

#[test]
fn an_answer_of_64_kib_is_read_to_its_end() {
    let answer = |padding: usize| format!(r#"{{"code":0,"msg":"{}"}}"#, "x".repeat(padding));
    let longest: &str = answer(64 * 1024 - answer(0).len()).leak();
    // A message whose answer cannot be read is sent again.
    let channels = [StubChannel::start("feishu", &[Answer::Text("200 OK", longest), Answer::Taken])];
    let receiver = start(&channels);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    assert_eq!(done(&receiver, "feishu")["attempts"], 1);
}

#[test]
fn a_channel_that_cannot_be_reached_is_tried_again() {
    // A name that is too long cannot be found, and no name server is asked for it.
    let no_host = format!("http://{}/{TOKEN}", "a".repeat(300));
    // A server that does not speak TLS.
    let no_tls = TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls_url = format!("https://{}/{TOKEN}", no_tls.local_addr().unwrap());
    // This name leads to 127.0.0.1, but no certificate can have it.
    let no_name = format!("https://127.1:{}/{TOKEN}", no_tls.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in no_tls.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    // Nobody listens on this port.
    let closed = format!("http://127.0.0.1:9/{TOKEN}");
    let folder = folder();
    let mut command = command(&folder);
    command.env("SLACK_WEBHOOK_URL", no_host).env("FEISHU_WEBHOOK_URL", no_tls_url);
    command.env("DINGTALK_WEBHOOK_URL", no_name).env("WECOM_WEBHOOK_URL", closed);
    let receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(telling_body()), 200);
    for (name, problem) in [
        ("slack", "the host was not found"),
        ("feishu", "TLS failed"),
        ("dingtalk", "TLS failed"),
        ("wecom", "the connection failed: connection refused"),
    ] {
        eventually(&format!("{name}: {problem}"), || {
            let row = row(&receiver, name);
            row["problem"] == problem && row["state"] == "waiting"
        });
    }
    assert!(!receiver.log().contains(TOKEN), "{}", receiver.log());
}

#[test]
fn a_message_with_an_undocumented_answer_is_sent_again() {
    let elsewhere = StubChannel::start("slack", &[Answer::Taken]);
    let found: &str = format!("302 Found\r\nLocation: {}", elsewhere.url).leak();
    is_tried_again(
        "",
        [
            ("slack", Answer::Text(found, ""), "status 302"),
            ("feishu", Answer::Text("200 OK", "ok"), "an answer without `code`"),
            ("dingtalk", Answer::Text("201 Created", r#"{"errcode":0}"#), "status 201"),
        ],
    );
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn a_channel_that_asks_for_a_pause_gets_nothing_until_it_is_over() {
    // The pause is so long that it is not over before the receiver is killed.
    let busy = Answer::Text("429 Too Many Requests\r\nRetry-After: 15", "rate_limited");
    let channels =
        [StubChannel::start("slack", &[busy, Answer::Taken]), StubChannel::start("feishu", &[Answer::Taken])];
    let mut receiver = start(&channels);
    assert_eq!(receiver.deliver(message("Visitor1", "hello", 1).to_vec()), 200);
    eventually("it is refused", || row(&receiver, "slack")["problem"] == "status 429, asks for a pause of 15s");
    // The pause also holds for another item, and after a restart of the receiver.
    assert_eq!(receiver.deliver(message("Visitor2", "hello", 1).to_vec()), 200);
    // The test waits until Feishu has taken both messages. If the kill cut off a message to Feishu, the receiver would
    // send this message twice.
    eventually("feishu has both", || count(&receiver.folder, "channel = 'feishu' AND state = 'done'") == 2);
    receiver.kill();
    let receiver = start_in(&receiver.folder, &channels);
    receiver.all_done();
    let slack = channels[0].requests();
    assert!(slack[1].at - slack[0].at >= Duration::from_secs(15));
    let mut visitors = channels[0].visitors().split_off(1);
    visitors.sort_unstable();
    assert_eq!(visitors, ["Visitor1", "Visitor2"]);
    assert_eq!(channels[1].visitors(), ["Visitor1", "Visitor2"]);
}

#[test]
fn pauses_grow_for_fifteen_minutes_and_then_the_row_is_dead() {
    let channels = [StubChannel::start("slack", &[Answer::Text("500 Internal Server Error", "")])];
    let receiver = start(&channels);
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let pauses = [1, 2, 4, 8, 15, 30, 60, 120, 240, 420];
    assert_eq!(pauses.iter().sum::<i64>(), 15 * 60);
    // With this gap, the next attempt does not begin before the test allows it. The receiver sets the gap when its work
    // begins, which can be after it listens.
    eventually("the receiver has set the gap", || count_in(&receiver.folder, "channel", "true") == 1);
    let gap = milliseconds(3_600_000);
    execute(&receiver.folder, &format!("UPDATE channel SET gap = {gap}"));
    let allow = format!("UPDATE channel SET next_at = next_at - {gap}");
    let mut before = now();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    for (attempt, pause) in (1..).zip(pauses) {
        let due_at = if POSTGRES { "(extract(epoch FROM due_at) * 1000)::bigint" } else { "due_at" };
        let failed =
            format!("SELECT {due_at} FROM item WHERE channel = 'slack' AND owner IS NULL AND attempts = {attempt}");
        let mut due_at = 0;
        eventually(&format!("attempt {attempt} has failed"), || {
            rows(&receiver.folder, &failed).first().map(|row| due_at = row[0].parse().unwrap()).is_some()
        });
        // PostgreSQL rounds to milliseconds.
        assert!((before..=now() + 1).contains(&(due_at - pause * 1_000)), "attempt {attempt}");
        // The test ends the pause by moving the time in the row, so that it need not wait.
        let pause = milliseconds(pause * 1_000);
        before = now();
        execute(
            &receiver.folder,
            &format!("UPDATE item SET due_at = due_at - {pause} WHERE channel = 'slack'; {allow}"),
        );
    }
    eventually("it is dead", || row(&receiver, "slack")["state"] == "dead");
    let row = row(&receiver, "slack");
    assert_eq!((&row["state"], &row["attempts"], &row["problem"]), (&json!("dead"), &json!(11), &json!("status 500")));
    assert_eq!(channels[0].requests().len(), 11);

    channels[0].answer(&[Answer::Taken]);
    execute(&receiver.folder, &allow);
    assert_eq!(run(&receiver.folder, &["retry", "--dead"]).stdout, b"rows put back to waiting: 1\n");
    done(&receiver, "slack");
}

/// A receiver that forwards to Slack, with these variables.
fn with_variables(slack: &StubChannel, variables: &[(&str, &str)]) -> Receiver {
    let folder = folder();
    let mut command = forwarding(&folder, std::slice::from_ref(slack));
    command.envs(variables.iter().copied());
    Receiver::spawn(&folder, command)
}

#[test]
fn messages_go_through_the_proxy_of_the_environment() {
    let slack = StubChannel::start("slack", &[Answer::Taken]);
    let target = slack.url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    for name in ["ALL_PROXY", "HTTPS_PROXY", "http_proxy"] {
        let proxy = HttpProxy::start(true);
        let url = format!("http://ada:T0KEN-of-a-proxy@{}", proxy.address);
        let receiver = with_variables(&slack, &[(name, &url)]);
        assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
        receiver.all_done();
        // The proxy learns the host and its own credentials, and then passes bytes on.
        let [head] = proxy.heads().try_into().unwrap();
        assert!(head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")) && !head.contains(TOKEN), "{head}");
        receiver.logs(&format!("forwarding to slack through the proxy {}\n", proxy.address));
        assert!(!receiver.log().contains("T0KEN"), "{}", receiver.log());
    }
    assert_eq!(slack.requests().len(), 3);

    let proxy = HttpProxy::start(true);
    let url = format!("http://{}", proxy.address);
    let receiver = with_variables(&slack, &[("HTTP_PROXY", &url), ("NO_PROXY", "example.com,127.0.0.*")]);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    assert_eq!(proxy.heads().len(), 0);
    receiver.logs("forwarding to slack\n");
}

#[test]
fn a_proxy_that_refuses_is_tried_again() {
    let slack = StubChannel::start("slack", &[Answer::Taken]);
    let proxy = HttpProxy::start(false);
    let receiver = with_variables(&slack, &[("HTTPS_PROXY", &format!("http://{}", proxy.address))]);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    eventually("it is refused", || {
        let row = row(&receiver, "slack");
        row["problem"] == "the proxy refused the connection" && row["state"] == "waiting"
    });
}
