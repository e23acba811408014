//! Messages to servers that answer as the channels document.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use twt_chat_webhooks::{AppSecret, fixtures};

use crate::POSTGRES;
use crate::support::{
    Answer, Receiver, StubChannel, TOKEN, command, count, count_in, eventually, execute, folder, forwarding, message,
    milliseconds, rows, run, telling_body, text, with_timings,
};

const CHANNELS: [&str; 4] = ["slack", "feishu", "dingtalk", "wecom"];

pub fn start_in(folder: &std::path::Path, channels: &[StubChannel]) -> Receiver {
    Receiver::spawn(folder, forwarding(folder, channels))
}

pub fn start(channels: &[StubChannel]) -> Receiver {
    start_in(&folder(), channels)
}

/// The row of a channel, for the only item.
pub fn row(receiver: &Receiver, channel: &str) -> Value {
    receiver.list().into_iter().find(|row| row["channel"] == channel).unwrap()
}

pub fn done(receiver: &Receiver, channel: &str) -> Value {
    eventually(&format!("{channel} has taken it"), || row(receiver, channel)["state"] == "done");
    row(receiver, channel)
}

#[test]
fn each_channel_gets_its_message_and_has_its_own_row() {
    let channels = CHANNELS.map(|name| StubChannel::start(name, &[Answer::Taken]));
    let receiver = start(&channels);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    let rows = receiver.list();
    let named: Vec<_> = rows.iter().map(|row| (&row["channel"], &row["state"], &row["attempts"])).collect();
    let [done, once] = [json!("done"), json!(1)];
    let [slack, feishu, dingtalk, wecom] = CHANNELS.map(|name| json!(name));
    let expected = [&json!(null), &slack, &feishu, &dingtalk, &wecom].map(|channel| (channel, &done, &once));
    assert_eq!(named, expected);
    for channel in &channels {
        let [request] = channel.requests().try_into().unwrap_or_else(|_| panic!("{} got several", channel.name));
        let first_line = format!("POST /hook?access_token={TOKEN} HTTP/1.1\r\n");
        assert!(request.head.starts_with(&first_line), "{}", request.head);
        assert!(request.head.to_lowercase().contains("\r\ncontent-type: application/json\r\n"), "{}", request.head);
        assert_eq!(
            text(channel.name, &request.body),
            "Visitor message not replied\nProject: test\nVisitor: Visitor15 (visitor nickname)\n\
             Waiting: 4 min 49 s, push 4 of 4\nAgent: ctccccd\n| 1"
        );
    }
    let listed = String::from_utf8(run(&receiver.folder, &["list"]).stdout).unwrap();
    assert!(listed.lines().nth(1).unwrap().ends_with(" slack    UNREPLIED"), "{listed}");
}

#[test]
fn a_long_message_is_cut_to_the_limit_of_each_channel() {
    let channels = CHANNELS.map(|name| StubChannel::start(name, &[Answer::Taken]));
    let receiver = start(&channels);
    assert_eq!(receiver.deliver(message("Visitor15", &"x".repeat(30_000), 1).to_vec()), 200);
    receiver.all_done();
    for channel in &channels {
        let [request] = channel.requests().try_into().unwrap_or_else(|_| panic!("{} got several", channel.name));
        let sent = text(channel.name, &request.body);
        let (size, limit) = match channel.name {
            "slack" => (sent.chars().count(), 4_000),
            "wecom" => (sent.len(), 2_048),
            // 100 bytes are left for the signature.
            "feishu" => (request.body.to_string().len(), 19_900),
            _ => (request.body.to_string().len(), 20_000),
        };
        assert!(size == limit && sent.ends_with('…'), "{}: {size}", channel.name);
    }
}

/// In 0.2.0, the keys of each pair were the same, so the second message was answered 200 and dropped.
#[test]
fn messages_that_collided_in_0_2_0_are_all_forwarded() {
    let messages = [
        "Order 4711: please cancel it. Ref wj3_0.3R##.l5+ (1/%y/f%QO",
        "Order 4711: please ship it now. Ref wj3P/S51$!#%:6b9l8/h.;=?B",
        "8yn0iYCKYHlIj4-BwPqk",
        "GReLUrM4wMqfg9yzV3KQ",
    ];
    let channels = [StubChannel::start("feishu", &[Answer::Taken])];
    let receiver = start(&channels);
    for text in messages {
        assert_eq!(receiver.deliver(message("Visitor15", text, 1).to_vec()), 200);
    }
    receiver.all_done();
    let sent = channels[0].requests();
    assert_eq!(sent.len(), messages.len());
    for message in messages {
        assert!(sent.iter().any(|request| text("feishu", &request.body).contains(message)), "{message}");
    }
}

#[test]
fn only_what_can_be_decoded_is_forwarded() {
    let channels = [StubChannel::start("slack", &[Answer::Taken])];
    let receiver = start(&channels);
    let tomorrow = fixtures::UNREPLIED.replace("UNREPLIED", "EVENT_OF_TOMORROW");
    assert_eq!(receiver.deliver(tomorrow), 200);
    let bad_item = fixtures::UNREPLIED.replace("\"4\"", "[]").replace("289", "[]");
    assert_eq!(receiver.deliver(bad_item), 200);
    assert_eq!(receiver.deliver("not JSON"), 200);
    eventually("the work and the message are done", || count(&receiver.folder, "state = 'done'") == 2);
    let rows: Vec<_> = receiver.list().iter().map(|row| (row["channel"].clone(), row["state"].clone())).collect();
    let expected = [(json!(null), "done"), (json!("slack"), "done"), (json!(null), "dead"), (json!(null), "dead")];
    assert_eq!(rows, expected.map(|(channel, state)| (channel, json!(state))));
    let [request] = channels[0].requests().try_into().unwrap_or_else(|_| panic!());
    assert_eq!(text("slack", &request.body), "Unknown event: EVENT_OF_TOMORROW");
}

#[test]
fn feishu_and_dingtalk_get_a_signature_if_a_secret_is_set() {
    let channels = ["feishu", "dingtalk"].map(|name| StubChannel::start(name, &[Answer::Taken]));
    let folder = folder();
    let mut command = command(&folder);
    for channel in &channels {
        let name = channel.name.to_uppercase();
        command.env(format!("{name}_WEBHOOK_URL"), &channel.url);
        command.env(format!("{name}_SECRET"), format!("SEC-{name}"));
    }
    let receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let hmac = |key: &str, text: &str| STANDARD.encode(AppSecret::new(key).unwrap().sign(text.as_bytes()).as_bytes());
    let [feishu, dingtalk] = channels.map(|channel| channel.requests().remove(0));

    let timestamp = feishu.body["timestamp"].as_str().unwrap();
    assert!(now.as_secs() - timestamp.parse::<u64>().unwrap() < 600);
    assert_eq!(feishu.body["sign"], hmac(&format!("{timestamp}\nSEC-FEISHU"), ""));
    assert_eq!(feishu.body["msg_type"], "text");

    let first_line = dingtalk.head.lines().next().unwrap();
    let query = first_line.strip_prefix(&format!("POST /hook?access_token={TOKEN}&timestamp=")).unwrap();
    let (timestamp, sign) = query.strip_suffix(" HTTP/1.1").unwrap().split_once("&sign=").unwrap();
    assert!(now.as_millis() - timestamp.parse::<u128>().unwrap() < 600_000);
    let expected = hmac("SEC-DINGTALK", &format!("{timestamp}\nSEC-DINGTALK"));
    assert_eq!(sign, expected.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    assert_eq!(
        dingtalk.body,
        json!({
            "msgtype": "text",
            "text": { "content": text("dingtalk", &dingtalk.body) },
            "at": { "isAtAll": false },
        })
    );
}

/// A body with one item of each visitor.
pub fn batch(visitors: &[String]) -> Value {
    let mut body: Value = serde_json::from_slice(&message("Visitor0", "hello", 1).to_vec()).unwrap();
    let item = body["content"][0].clone();
    let items = visitors.iter().map(|visitor| {
        let mut item = item.clone();
        item["visitor_name"] = visitor.as_str().into();
        item
    });
    body["content"] = items.collect();
    body
}

#[test]
fn a_message_without_an_answer_is_sent_again_after_a_kill() {
    let channels = [StubChannel::start("slack", &[Answer::Never]), StubChannel::start("feishu", &[Answer::Taken])];
    let mut receiver = start(&channels);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    done(&receiver, "feishu");
    eventually("slack has it", || channels[0].requests().len() == 1);
    receiver.kill();
    channels[0].answer(&[Answer::Taken]);
    let receiver = start_in(&receiver.folder, &channels);
    done(&receiver, "slack");
    assert_eq!((channels[0].requests().len(), channels[1].requests().len()), (2, 1));
}

#[test]
fn a_receiver_that_is_told_to_stop_waits_for_the_answer_of_a_channel() {
    let channels = [StubChannel::start("slack", &[Answer::Late(Duration::from_secs(7))])];
    let folder = folder();
    let mut command = forwarding(&folder, &channels);
    // The answer takes longer than the difference of `answer` and twice `grace`.
    with_timings(&mut command, "answer=60000 grace=29000");
    let mut receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    eventually("slack has it", || channels[0].requests().len() == 1);
    assert_eq!(receiver.stop().code(), Some(0));
    assert_eq!(row(&receiver, "slack")["state"], "done");
}

#[test]
fn a_receiver_that_is_told_to_stop_begins_no_other_message() {
    let channels = [StubChannel::start("slack", &[Answer::Late(Duration::from_secs(10)), Answer::Taken])];
    let mut receiver = start(&channels);
    for visitor in ["Visitor1", "Visitor2"] {
        assert_eq!(receiver.deliver(message(visitor, "hello", 1).to_vec()), 200);
    }
    eventually("slack has the first", || channels[0].requests().len() == 1);
    // The channel could take the second message when it answers the first.
    execute(&receiver.folder, &format!("UPDATE channel SET gap = {}", milliseconds(0)));
    assert_eq!(receiver.stop().code(), Some(0));
    assert_eq!(channels[0].requests().len(), 1);
    let rows: Vec<_> = receiver.list().into_iter().filter(|row| row["channel"] == "slack").collect();
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&json!("done"), &json!("waiting")));
}

#[test]
fn every_channel_gets_every_item_however_often_the_receiver_is_killed() {
    const ITEMS: usize = 8;

    let channels =
        ["slack", "feishu"].map(|name| StubChannel::start(name, &[Answer::Late(Duration::from_millis(700))]));
    let folder = folder();
    let mut receiver = start_in(&folder, &channels);
    // All items come in one delivery. On a busy machine, many deliveries would take longer than the messages.
    let visitors: Vec<String> = (0..ITEMS).map(|number| format!("Visitor{number}")).collect();
    assert_eq!(receiver.deliver(batch(&visitors).to_string()), 200);
    let mut cut_off = BTreeMap::<String, usize>::new();
    for kill in 0..4 {
        let before = channels[kill % 2].requests().len();
        // A busy machine can be so slow that no message is left for the last kills.
        eventually("a message is on its way, or all is done", || {
            channels[kill % 2].requests().len() > before || count(&folder, "state <> 'done'") == 0
        });
        receiver.kill();
        for channel in rows(&folder, "SELECT channel FROM item WHERE owner IS NOT NULL AND channel <> ''") {
            *cut_off.entry(channel[0].clone()).or_default() += 1;
        }
        receiver = start_in(&folder, &channels);
    }
    receiver.all_done();
    assert!(cut_off.values().sum::<usize>() > 0, "no kill came in the middle");
    println!("channel | deliveries | messages | cut off by a kill");
    for channel in &channels {
        let mut visitors = channel.visitors();
        let cut_off = cut_off.get(channel.name).copied().unwrap_or(0);
        println!("{:7} | {ITEMS:10} | {:8} | {cut_off}", channel.name, visitors.len());
        assert!(visitors.len() <= ITEMS + cut_off, "{} got a message twice for no reason", channel.name);
        visitors.sort_unstable();
        visitors.dedup();
        assert_eq!(visitors.len(), ITEMS, "{}", channel.name);
    }
}

#[test]
fn a_burst_keeps_the_pace_of_each_channel_and_waits_in_the_inbox() {
    let channels = CHANNELS.map(|name| StubChannel::start(name, &[Answer::Taken]));
    let receiver = start(&channels);
    for number in 0..100 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    assert_eq!(count(&receiver.folder, "true"), 500);
    eventually("each channel has a few", || channels.iter().all(|channel| channel.requests().len() >= 5));
    for (channel, pace) in channels.iter().zip([1_000, 600, 3_000, 3_000]) {
        let times: Vec<Instant> = channel.requests().iter().map(|request| request.at).collect();
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= Duration::from_millis(pace), "{}", channel.name);
        }
        // The messages are sent in the order in which they came.
        let visitors: Vec<String> = (0..times.len()).map(|number| format!("Visitor{number}")).collect();
        assert_eq!(channel.visitors()[..times.len()], visitors);
    }
    assert_eq!(count(&receiver.folder, "state = 'dead'"), 0);
    eventually("the work is not paced", || count(&receiver.folder, "channel = '' AND state = 'done'") == 100);
}

#[test]
fn a_message_waits_for_the_pace_of_its_channel_and_not_for_the_next_look() {
    let channels = [StubChannel::start("slack", &[Answer::Taken])];
    let folder = folder();
    let mut command = forwarding(&folder, &channels);
    with_timings(&mut command, "look=900000");
    let receiver = Receiver::spawn(&folder, command);
    for visitor in ["Visitor1", "Visitor2", "Visitor3"] {
        assert_eq!(receiver.deliver(message(visitor, "hello", 1).to_vec()), 200);
    }
    receiver.all_done();
}

#[test]
fn the_last_receiver_that_starts_sets_the_pace_of_its_channels() {
    let channels = [StubChannel::start("slack", &[Answer::Taken])];
    let folder = folder();
    let has_pace = || count_in(&folder, "channel", &format!("gap = {}", milliseconds(1_000))) == 1;
    let mut first = start_in(&folder, &channels);
    eventually("the pace is set", has_pace);
    first.stop();
    execute(&folder, &format!("UPDATE channel SET gap = {}", milliseconds(3_600_000)));
    let _second = start_in(&folder, &channels);
    eventually("the pace is set again", has_pace);
}

#[test]
fn the_messages_of_a_body_that_is_kept_whole_keep_the_pace_too() {
    const ITEMS: usize = 18;

    let channels = [StubChannel::start("feishu", &[Answer::Taken])];
    let receiver = start(&channels);
    let visitors: Vec<String> = (0..ITEMS).map(|number| format!("Visitor{number}")).collect();
    let mut body = batch(&visitors);
    body["note"] = "a large envelope".repeat(7_000).into();
    assert_eq!(receiver.deliver(body.to_string()), 200);
    receiver.all_done();
    assert_eq!((receiver.list().len(), channels[0].visitors()), (2, visitors));
    let times: Vec<Instant> = channels[0].requests().iter().map(|request| request.at).collect();
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(600), "{times:?}");
    }
}

#[test]
fn no_credential_and_no_word_of_a_visitor_is_shown() {
    let refused = Answer::Text("403 Forbidden", "T0KEN-0f-a-channel Visitor-Ada my PIN is 47114711");
    let channels = CHANNELS.map(|name| StubChannel::start(name, std::slice::from_ref(&refused)));
    let folder = folder();
    let mut command = command(&folder);
    for channel in &channels {
        let name = channel.name.to_uppercase();
        command.env(format!("{name}_WEBHOOK_URL"), &channel.url).env(format!("{name}_SECRET"), "T0KEN-secret");
    }
    let mut receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(telling_body()), 200);
    eventually("all channels have refused it", || count(&folder, "problem LIKE 'status 403%'") == 4);
    let listed =
        ["list", "--json"].map(|last| run(&folder, &["list", last][..if last == "list" { 1 } else { 2 }]).stdout);
    receiver.stop();
    let mut shown = receiver.log();
    assert!(shown.contains("to slack, attempt 1: status 403"), "{shown}");
    shown.push_str(str::from_utf8(&listed.concat()).unwrap());
    for word in ["T0KEN", "Ada", "47114711"] {
        assert!(!shown.contains(word), "{word} in {shown}");
    }
    // Files may hold the words of the visitor, because the inbox keeps the bodies. They must not hold a credential.
    for file in fs::read_dir(&folder).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(5).any(|bytes| bytes == b"T0KEN"));
    }
}

#[test]
fn a_channel_without_messages_asks_the_database_only_now_and_then() {
    // SQLite does not count transactions.
    if !POSTGRES {
        return;
    }
    let channels = CHANNELS.map(|name| StubChannel::start(name, &[Answer::Taken]));
    let receiver = start(&channels);
    let committed = || {
        let committed = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
        rows(&receiver.folder, committed)[0][0].parse::<f64>().unwrap()
    };
    std::thread::sleep(Duration::from_secs(2));
    let (start, before) = (Instant::now(), committed());
    std::thread::sleep(Duration::from_secs(3));
    // Twice a second, each of the five lanes has one transaction, and tidying has four.
    let per_second = (committed() - before) / start.elapsed().as_secs_f64();
    assert!(per_second < 40.0, "{per_second} transactions per second");
}
