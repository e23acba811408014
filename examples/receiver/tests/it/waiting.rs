//! What a row waits for, and how an operator wakes it.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use twt_chat_webhooks::Timestamp;

use crate::POSTGRES;
use crate::support::{
    Answer, Receiver, StubChannel, beginnings, count, count_in, eventually, execute, folder, forwarding, list, message,
    milliseconds, rows, run, with_timings,
};

/// Seconds from now to a time of `receiver list`, such as `2026-01-31T23:59:59Z`.
fn seconds_until(time: &Value) -> i64 {
    let time: Timestamp = time.as_str().unwrap().parse().unwrap();
    time.unix_seconds() - Timestamp::from(SystemTime::now()).unix_seconds()
}

#[test]
fn the_list_says_until_when_a_row_waits_and_why() {
    let day = Answer::Text("429 Too Many Requests\r\nRetry-After: 86400", "rate_limited");
    let refused = Answer::Text("500 Internal Server Error", "");
    let channels = [
        StubChannel::start("slack", &[day]),
        StubChannel::start("feishu", &[refused]),
        StubChannel::start("dingtalk", &[Answer::Never]),
        StubChannel::start("wecom", &[Answer::Taken]),
    ];
    let folder = folder();
    let mut command = forwarding(&folder, &channels);
    with_timings(&mut command, "channel_pauses=600000 answer=600000");
    let receiver = Receiver::spawn(&folder, command);
    // The pace of this channel is so slow that the second message waits for it.
    eventually("the pace is set", || count_in(&folder, "channel", "true") == 4);
    execute(&folder, &format!("UPDATE channel SET gap = {} WHERE name = 'wecom'", milliseconds(3_600_000)));
    assert_eq!(receiver.deliver(message("Visitor1", "hello", 1).to_vec()), 200);
    eventually("slack has refused it", || count(&folder, "channel = 'slack' AND problem IS NOT NULL") == 1);
    assert_eq!(receiver.deliver(message("Visitor2", "hello", 1).to_vec()), 200);
    eventually("the work is done", || count(&folder, "channel = '' AND state = 'done'") == 2);
    eventually("dingtalk is sent to", || count(&folder, "channel = 'dingtalk' AND owner IS NOT NULL") == 1);
    eventually("wecom has the first", || count(&folder, "channel = 'wecom' AND state = 'done'") == 1);
    eventually("feishu has refused both", || {
        count(&folder, "channel = 'feishu' AND problem = 'status 500' AND owner IS NULL") == 2
    });
    let rows = receiver.list();
    let of = |channel: &str| rows.iter().filter(|row| row["channel"] == channel).collect::<Vec<_>>();
    // Both messages wait for the end of the pause, also the message that was not sent yet.
    for row in of("slack") {
        assert_eq!((&row["state"], &row["waits_for"]), (&json!("waiting"), &json!("the channel asked for a pause")));
        assert!((86_000..=86_401).contains(&seconds_until(&row["waits_until"])), "{row}");
    }
    for row in of("feishu") {
        assert_eq!((&row["state"], &row["waits_for"]), (&json!("waiting"), &json!("an attempt failed")));
        assert!((300..=601).contains(&seconds_until(&row["waits_until"])), "{row}");
    }
    let [in_work, behind] = of("dingtalk").try_into().unwrap();
    assert_eq!((&in_work["state"], &in_work["waits_for"]), (&json!("in work"), &json!(null)));
    assert_eq!((&behind["state"], &behind["waits_for"]), (&json!("waiting"), &json!("the pace of the channel")));
    let [sent, behind] = of("wecom").try_into().unwrap();
    assert_eq!((&sent["state"], &sent["waits_for"]), (&json!("done"), &json!(null)));
    assert_eq!((&behind["state"], &behind["waits_for"]), (&json!("waiting"), &json!("the pace of the channel")));
    assert!((3_000..=3_601).contains(&seconds_until(&behind["waits_until"])), "{behind}");
    assert_eq!((&rows[0]["state"], &rows[0]["waits_until"]), (&json!("done"), &json!(null)));
    let text = String::from_utf8(run(&folder, &["list"]).stdout).unwrap();
    assert!(text.lines().any(|line| line.ends_with(" dingtalk UNREPLIED (the pace of the channel)")), "{text}");
    let slack = of("slack")[0];
    let end = format!("86400s (until {}: the channel asked for a pause)", slack["waits_until"].as_str().unwrap());
    assert!(text.lines().any(|line| line.ends_with(&end)), "{end} in {text}");
}

#[test]
fn the_list_says_that_a_channel_is_not_set_and_that_no_receiver_runs() {
    let channels = [StubChannel::start("slack", &[Answer::Text("500 Internal Server Error", "")])];
    let folder = folder();
    let mut command = forwarding(&folder, &channels);
    with_timings(&mut command, "work_pauses=600000 channel_pauses=600000");
    let mut receiver = Receiver::spawn(&folder, command);
    let _of_another_inbox = Receiver::start();
    assert_eq!(receiver.deliver(message("Visitor1", "fail", 1).to_vec()), 200);
    let says = |work: &str, slack: &str| {
        eventually(&format!("the list says: {work}, {slack}"), || {
            let rows = list(&folder);
            (&rows[0]["waits_for"], &rows[1]["waits_for"]) == (&json!(work), &json!(slack))
        });
    };
    let (no_receiver, not_set) = ("no receiver runs", "no receiver that runs has this channel set");
    says("an attempt failed", "an attempt failed");
    // A receiver that is killed cannot leave, but the list still notices its end.
    receiver.kill();
    says(no_receiver, not_set);
    let text = String::from_utf8(run(&folder, &["list"]).stdout).unwrap();
    assert!(text.lines().next().unwrap().ends_with(" the ticket system is away (no receiver runs)"), "{text}");
    let mut without_slack = Receiver::start_in(&folder);
    says("an attempt failed", not_set);
    without_slack.stop();
    says(no_receiver, not_set);
    let _with_slack = Receiver::spawn(&folder, forwarding(&folder, &channels));
    says("an attempt failed", "an attempt failed");
}

#[test]
fn a_pause_starts_again_when_the_clock_is_set_back() {
    let busy = Answer::Text("429 Too Many Requests\r\nRetry-After: 7200", "rate_limited");
    let channels = [StubChannel::start("slack", &[busy])];
    let folder = folder();
    let mut command = forwarding(&folder, &channels);
    with_timings(&mut command, "work_pauses=3600000 channel_pauses=1000");
    let mut receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(message("Visitor1", "fail", 1).to_vec()), 200);
    eventually("both have failed", || count(&folder, "problem IS NOT NULL AND owner IS NULL") == 2);
    // A clock that is set back has the same effect.
    let day = milliseconds(86_400_000);
    execute(&folder, &format!("UPDATE item SET due_at = due_at + {day}"));
    execute(&folder, &format!("UPDATE channel SET next_at = next_at + {day}"));
    let mut rows = Vec::new();
    eventually("the times are right again", || {
        rows = receiver.list();
        rows.iter().all(|row| seconds_until(&row["waits_until"]) <= 7_201)
    });
    for (row, pause) in rows.iter().zip([3_600, 7_200]) {
        assert!((pause - 600..=pause + 1).contains(&seconds_until(&row["waits_until"])), "{row}");
        assert_eq!(row["attempts"], 1);
    }
    // A row that was put back has no pause.
    receiver.stop();
    assert_eq!(run(&folder, &["retry", "1"]).stdout, b"rows put back to waiting: 1\n");
    execute(&folder, &format!("UPDATE item SET due_at = due_at + {day} WHERE id = 1"));
    let _receiver = Receiver::start_in(&folder);
    eventually("it is worked on again", || beginnings(&folder)[&1] == 2);
}

/// Runs on PostgreSQL only. SQLite has no time zone.
#[test]
fn the_list_shows_utc_whatever_the_time_zone_of_the_database_is() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let zone = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Shanghai'); END $$";
    execute(&folder, zone);
    let receiver = Receiver::start_in(&folder);
    assert_eq!(receiver.deliver("not JSON"), 200);
    let row = &receiver.list()[0];
    assert!((-600..=1).contains(&seconds_until(&row["received_at"])), "{row}");
}

#[test]
fn a_retry_lifts_the_pause_that_a_channel_asked_for_and_keeps_the_pace() {
    let day = Answer::Text("429 Too Many Requests\r\nRetry-After: 86400", "rate_limited");
    let channels = ["slack", "feishu"].map(|name| StubChannel::start(name, std::slice::from_ref(&day)));
    let folder = folder();
    let mut receiver = Receiver::spawn(&folder, forwarding(&folder, &channels));
    let folder = &folder;
    for visitor in ["Visitor1", "Visitor2"] {
        assert_eq!(receiver.deliver(message(visitor, "hello", 1).to_vec()), 200);
    }
    let paused = "pause > gap AND holder IS NULL";
    eventually("the work is done", || count(folder, "channel = '' AND state = 'done'") == 2);
    eventually("both ask for a pause", || count_in(folder, "channel", paused) == 2);
    for channel in &channels {
        channel.answer(&[Answer::Taken]);
    }
    // To retry a row of the work lifts no pause. To retry a row of a channel lifts only the pause of this channel.
    let id_of = |channel: &str, other: &str| {
        let query = format!("SELECT max(id) FROM item WHERE channel = '{channel}' AND problem IS {other} NULL");
        rows(folder, &query)[0][0].clone()
    };
    for id in [id_of("", ""), id_of("slack", "")] {
        assert_eq!(run(folder, &["retry", &id]).stdout, b"rows put back to waiting: 1\n");
    }
    eventually("slack has all", || count(folder, "channel = 'slack' AND state = 'done'") == 2);
    assert_eq!((count_in(folder, "channel", paused), channels[1].requests().len()), (1, 1));
    let times: Vec<Instant> = channels[0].requests().iter().map(|request| request.at).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(1_000)), "{times:?}");

    // `retry --dead` lifts the pauses of the channels whose rows it puts back.
    assert_eq!(run(folder, &["retry", "--dead"]).stdout, b"rows put back to waiting: 0\n");
    assert_eq!(count_in(folder, "channel", paused), 1);
    execute(folder, &format!("UPDATE item SET state = 'dead' WHERE id = {}", id_of("feishu", "NOT")));
    receiver.stop();
    let last_message = || rows(folder, "SELECT next_at - pause FROM channel WHERE name = 'feishu'");
    let before = last_message();
    assert_eq!(run(folder, &["retry", "--dead"]).stdout, b"rows put back to waiting: 1\n");
    // The next message may be sent when the gap after the last one is over.
    assert_eq!((last_message(), count_in(folder, "channel", "pause = gap")), (before, 2));
    let receiver = Receiver::spawn(folder, forwarding(folder, &channels));
    receiver.all_done();
    assert_eq!(channels[1].requests().len(), 3);
}
