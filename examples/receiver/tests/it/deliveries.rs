//! What becomes of a delivery, and how it is answered.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;
use twt_chat_webhooks::{AppSecret, Payload, SignatureError, Timestamp, fixtures};

use crate::POSTGRES;
use crate::support::{
    Receiver, command, commits_that_wait, count, count_in, eventually, execute, folder, lock, message, rows, run,
    secret, telling_body,
};

const LIMIT: usize = 256 * 1024;

#[test]
fn each_documented_event_is_kept_and_worked_on() {
    let receiver = Receiver::start();
    for body in [fixtures::UNREPLIED, fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::OFFLINE_FORM_SUBMIT] {
        assert_eq!(receiver.deliver(body), 200);
    }
    receiver.all_done();
    let rows = receiver.list();
    let events: Vec<_> = rows.iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["UNREPLIED", "PRE_CHAT_FORM_SUBMIT", "OFFLINE_FORM_SUBMIT"]);
    let mut ends: Vec<_> = receiver.worked_on().into_iter().filter(|line| line.starts_with("end")).collect();
    ends.sort();
    let expected = ["1 UNREPLIED", "2 PRE_CHAT_FORM_SUBMIT", "3 OFFLINE_FORM_SUBMIT"];
    assert_eq!(ends, expected.map(|item| format!("end {item} Visitor15")));
    eventually("all is logged", || receiver.log().matches(": 200 in ").count() == 3);
    let log = receiver.log();
    assert!(!log.contains("repeated") && !log.contains("signed with the old secret"), "{log}");
}

#[test]
fn deliveries_do_not_read_the_whole_inbox() {
    // A unit test checks the statements of SQLite.
    if !POSTGRES {
        return;
    }
    let folder = folder();
    // With this setting, PostgreSQL plans each statement once for each connection, while the inbox is still empty.
    let plan_once = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET plan_cache_mode = force_generic_plan', current_database()); END $$";
    execute(&folder, plan_once);
    let mut receiver = Receiver::start_in(&folder);
    for number in 1..=100 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    receiver.all_done();
    // The last figures of a connection are written when it ends.
    receiver.stop();
    eventually("all connections have ended", || connections(&folder).is_empty());
    let read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'record'";
    let read: u32 = rows(&folder, read)[0][0].parse().unwrap();
    // The work reads each record once.
    assert!((100..1_000).contains(&read), "{read} records read");
}

/// The processes of PostgreSQL, one for each connection of a receiver to the database of a test.
fn connections(folder: &Path) -> BTreeSet<String> {
    let open = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'twt-chat receiver'";
    rows(folder, open).concat().into_iter().collect()
}

#[test]
fn a_receiver_that_has_little_to_do_has_few_connections_to_the_database() {
    if !POSTGRES {
        return;
    }
    let receiver = Receiver::start();
    for number in 0..10 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    // The fourth is opened if a delivery comes while the connection of the one before is not free again.
    eventually("three or four are open", || [3, 4].contains(&connections(&receiver.folder).len()));
    // The next deliveries, and the looks of the receiver, use the same connections.
    let mut number = 10;
    eventually("three connections stay", || {
        let before = connections(&receiver.folder);
        for _ in 0..5 {
            assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
            number += 1;
        }
        thread::sleep(Duration::from_millis(1_200));
        before.intersection(&connections(&receiver.folder)).count() >= 3
    });
}

/// Runs on PostgreSQL only.
#[test]
fn deliveries_that_come_together_share_a_commit_but_not_too_large_a_commit() {
    if !POSTGRES {
        return;
    }
    let receiver = Receiver::start();
    let locked = lock(&receiver.folder);
    thread::scope(|scope| {
        for number in 0..68 {
            let receiver = &receiver;
            let body = message(&format!("Visitor{number}"), &"x".repeat(250_000), 1).to_vec();
            scope.spawn(move || assert_eq!(receiver.deliver(body), 200));
            // Each of the first deliveries is alone in its commit. The others come while all four commits wait.
            if number < 4 {
                let waits = number + 1;
                eventually(&format!("{waits} wait"), || commits_that_wait(&receiver.folder) == waits);
            }
        }
        thread::sleep(Duration::from_secs(2));
        drop(locked);
    });
    // Each commit takes 17 of the other 64 deliveries at most. These are a little more than 4 MiB.
    let commits = "SELECT count(DISTINCT xmin::text) FROM record";
    let commits: u32 = rows(&receiver.folder, commits)[0][0].parse().unwrap();
    assert!(commits >= 8, "{commits} commits");
}

#[test]
fn an_unknown_event_is_one_row_with_its_name() {
    let receiver = Receiver::start();
    let body = fixtures::UNREPLIED.replace("UNREPLIED", "EVENT_OF_TOMORROW");
    assert_eq!([receiver.deliver(&body), receiver.deliver(&body)], [200, 200]);
    let row = receiver.row(1, "done");
    assert_eq!(
        (&row["event"], &row["problem"], &row["attempts"]),
        (&json!("EVENT_OF_TOMORROW"), &json!(null), &json!(1))
    );
    assert_eq!(receiver.list().len(), 1);
    assert_eq!(receiver.worked_on()[0], "begin 1 EVENT_OF_TOMORROW nobody");
}

#[test]
fn a_retry_is_not_worked_on_again_but_the_next_push_is() {
    let receiver = Receiver::start();
    let first = message("Visitor15", "hello", 1);
    assert_eq!(receiver.deliver(first.to_vec()), 200);
    // The same bytes, and the same item in another envelope.
    assert_eq!(receiver.deliver(first.to_vec()), 200);
    let later = Timestamp::from_unix(first.created_at.unix_seconds() + 60).unwrap();
    let retry = Payload::new(later, "0123456789abcdef0123456789abcdef", first.event);
    assert_eq!(receiver.deliver(retry.to_vec()), 200);
    // The same item in a batch with another item. Only the other item is new.
    let mut messages = retry.event.as_unreplied().unwrap().to_vec();
    messages.extend_from_slice(message("Visitor16", "hello", 1).event.as_unreplied().unwrap());
    assert_eq!(receiver.deliver(Payload::new(later, "", messages).to_vec()), 200);
    assert_eq!(receiver.deliver(message("Visitor15", "hello", 2).to_vec()), 200);

    receiver.all_done();
    let begun: Vec<_> = receiver.worked_on().into_iter().filter(|line| line.starts_with("begin")).collect();
    let expected = ["begin 1 UNREPLIED Visitor15", "begin 2 UNREPLIED Visitor16", "begin 3 UNREPLIED Visitor15"];
    assert_eq!(sorted(begun), expected);
    eventually("all is logged", || receiver.log().matches(": 200 in ").count() == 5);
    // The same bytes, the same item in another envelope, and the item in the batch.
    assert_eq!(receiver.log().matches(", repeated: 1").count(), 3, "{}", receiver.log());
    // A body without a new item is not kept.
    assert_eq!(count_in(&receiver.folder, "record", "true"), 3);
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_by_key(|line| line.split(' ').nth(1).and_then(|id| id.parse::<i64>().ok()));
    lines
}

#[test]
fn a_bad_item_does_not_lose_the_batch() {
    let receiver = Receiver::start();
    let item = |visitor: &str, pushes: &str| {
        format!(r#"{{"visitor_name":"{visitor}","created_at":1,"status":"1","push_times":{pushes},"time_sec":1}}"#)
    };
    let items = [item("A", "1"), item("Ada", r#""my PIN is 47114711""#), item("C", "1")].join(",");
    let body =
        |sent: i64| format!(r#"{{"created_at":{sent},"event":"UNREPLIED","webhook_id":"","content":[{items}]}}"#);
    // A repeated delivery adds no row for a good or a bad item, even in a new envelope.
    for sent in [2, 2, 3] {
        assert_eq!(receiver.deliver(body(sent)), 200);
    }
    eventually("the good items are done", || count(&receiver.folder, "state = 'done'") == 2);
    let rows = receiver.list();
    assert_eq!(rows.len(), 3);
    let dead = &rows[1];
    assert_eq!((&dead["state"], &dead["event"], &dead["attempts"]), (&json!("dead"), &json!("UNREPLIED"), &json!(0)));
    let problem = "UNREPLIED content[1].push_times: expected an unsigned integer, found a string";
    assert_eq!(dead["problem"], problem);
    // Each item has a body of its own, with the text of the envelope around the text of the item.
    let shown = run(&receiver.folder, &["show", "2"]).stdout;
    let only_the_second = body(2).replace(&items, &item("Ada", r#""my PIN is 47114711""#));
    assert_eq!(String::from_utf8(shown).unwrap(), only_the_second);
    let worked_on: String = receiver.worked_on().join("\n");
    // The rows are in the order of the items.
    assert!(worked_on.contains("begin 1 UNREPLIED A") && worked_on.contains("begin 3 UNREPLIED C"), "{worked_on}");
    assert!(!worked_on.contains("Ada"), "{worked_on}");
}

#[test]
fn a_body_that_cannot_be_decoded_is_a_dead_letter() {
    let receiver = Receiver::start();
    let cut = &telling_body()[..300];
    for body in [b"not JSON: 47114711".as_slice(), b"", b"\xff\xfe", b"[\"my PIN is 47114711\"]", cut.as_bytes()] {
        assert_eq!([receiver.deliver(body), receiver.deliver(body)], [200, 200]);
    }
    let rows = receiver.list();
    assert_eq!(rows.len(), 5);
    for row in &rows {
        assert_eq!((&row["state"], &row["attempts"]), (&json!("dead"), &json!(0)));
        assert!(!row["problem"].as_str().unwrap().is_empty());
    }
    assert_eq!((&rows[0]["event"], &rows[4]["event"]), (&json!(null), &json!("UNREPLIED")));
    assert_eq!(run(&receiver.folder, &["show", "3"]).stdout, b"\xff\xfe");
    assert!(receiver.worked_on().is_empty());
}

#[test]
fn a_body_that_is_hard_to_store_is_stored_as_it_came() {
    let receiver = Receiver::start();
    assert_eq!([receiver.deliver(fixtures::HOSTILE), receiver.deliver(fixtures::HOSTILE)], [200, 200]);
    receiver.row(1, "done");
    assert_eq!(run(&receiver.folder, &["show", "1"]).stdout, fixtures::HOSTILE.as_bytes());
    assert_eq!(receiver.list().len(), 1);
}

#[test]
fn a_signature_that_is_not_right_is_refused() {
    let receiver = Receiver::start();
    let body = telling_body();
    let signature = secret().sign(body.as_bytes()).to_string();
    let foreign = AppSecret::new("another account's").unwrap().sign(body.as_bytes()).to_string();
    let [missing, malformed, mismatch] =
        &[SignatureError::Missing, SignatureError::Malformed, SignatureError::Mismatch].map(|error| error.to_string());
    let cases = [
        (body.replace("47114711", "4712"), Some(signature.clone()), mismatch),
        (body.clone(), Some(foreign), mismatch),
        ("not JSON at all".into(), Some(signature.clone()), mismatch),
        (body.clone(), Some(format!("sha256={signature}")), malformed),
        (body.clone(), Some(String::new()), malformed),
        (body, None, missing),
    ];
    for (body, signature, problem) in cases {
        assert_eq!(receiver.post(body, signature.as_deref()), (403, format!("{problem}\n")));
        eventually("it is logged", || receiver.log().trim_end().ends_with(problem.as_str()));
    }
    assert!(receiver.list().is_empty());
}

#[test]
fn the_old_secret_is_accepted_and_noted() {
    let folder = folder();
    let old = AppSecret::new("old s3cret").unwrap();
    let mut command = command(&folder);
    command.env("TWT_APP_SECRET_OLD", "old s3cret");
    let receiver = Receiver::spawn(&folder, command);
    let body = fixtures::UNREPLIED;
    assert_eq!(receiver.post(body, Some(&old.sign(body.as_bytes()).to_string())).0, 200);
    eventually("it is noted", || receiver.log().contains(", signed with the old secret"));
    assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
    assert_eq!(receiver.list().len(), 2);
}

#[test]
fn a_body_above_the_limit_is_refused() {
    let receiver = Receiver::start_with("grace=60000");
    let padded = |length: usize| format!("{}{}", telling_body(), " ".repeat(length - telling_body().len()));
    assert_eq!(receiver.deliver(padded(LIMIT)), 200);
    assert_eq!(receiver.deliver(padded(LIMIT + 1)), 413);
    assert_eq!(receiver.list().len(), 1);
}

#[test]
fn other_requests_are_answered_and_what_a_stranger_wrote_is_not_logged() {
    let receiver = Receiver::start();
    assert_eq!(receiver.get("/healthz"), (200, "ok\n".into()));
    assert_eq!(receiver.get("/webhooks/twt-chat").0, 405);
    assert_eq!(receiver.get("/elsewhere%0A?secret=47114711").0, 404);
    let stream = receiver.begin("STEAL /healthz HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n");
    assert!(crate::support::rest(stream).starts_with("HTTP/1.1 405 "));
    eventually("all is logged", || receiver.log().lines().count() == 4);
    let log = receiver.log();
    assert!(!log.contains("elsewhere") && !log.contains("47114711") && !log.contains("STEAL"), "{log}");
}

#[test]
fn two_hundred_requests_at_once_are_answered() {
    let receiver = Receiver::start();
    thread::scope(|scope| {
        for number in 0..200 {
            let receiver = &receiver;
            scope.spawn(move || {
                assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
            });
        }
    });
    receiver.all_done();
    assert_eq!(receiver.list().len(), 200);
}

#[test]
fn the_platform_keeps_what_the_inbox_cannot_take() {
    let receiver = Receiver::start_with("busy=2000 statement=2000");
    let lock = lock(&receiver.folder);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 503);
    assert_eq!(receiver.get("/healthz").0, 503);
    drop(lock);
    eventually("it is kept", || receiver.deliver(fixtures::UNREPLIED) == 200);
    eventually("it is healthy", || receiver.get("/healthz").0 == 200);
    eventually("it is done", || count(&receiver.folder, "state = 'done'") == 1);
}

#[test]
fn no_text_of_a_visitor_and_no_control_character_is_in_the_log_or_the_list() {
    let receiver = Receiver::start();
    let unknown = telling_body().replace("UNREPLIED", &r"\u001b]0;owned\u0007\n\u202e".repeat(50));
    for body in [telling_body(), telling_body().replace(": 4,", r#": "47114711","#), unknown] {
        assert_eq!(receiver.deliver(body), 200);
    }
    let listed = run(&receiver.folder, &["list"]).stdout;
    let json = run(&receiver.folder, &["list", "--json"]).stdout;
    eventually("all is logged", || receiver.log().lines().count() == 3);
    for text in [String::from_utf8(listed).unwrap(), String::from_utf8(json).unwrap(), receiver.log()] {
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains("47114711") && !text.contains("Ada"), "{text}");
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}') && text.lines().all(|line| line.len() < 300), "{text}");
    }
}
