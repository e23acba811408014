//! What `TOLERANCE` does with deliveries that are too old or too new.

use std::time::SystemTime;

use serde_json::{Value, json};
use twt_chat_webhooks::{Payload, Timestamp, fixtures};

use crate::POSTGRES;
use crate::support::{
    Answer, NOWHERE, Receiver, StubChannel, command, count, count_in, eventually, execute, folder, forwarding, list,
    message, run,
};

fn start(channels: &[StubChannel]) -> Receiver {
    let folder = folder();
    let mut command = forwarding(&folder, channels);
    command.env("TOLERANCE", "10m");
    Receiver::spawn(&folder, command)
}

/// A message of this visitor, in an envelope that was sent this number of seconds ago. The key of the item does not
/// depend on the envelope.
fn sent(visitor: &str, seconds_ago: i64) -> Vec<u8> {
    let now = Timestamp::from(SystemTime::now()).unix_seconds();
    let created_at = Timestamp::from_unix(now - seconds_ago).unwrap();
    Payload::new(created_at, "58946f5f583edd94f5cf87e3534d04fb", message(visitor, "hello", 1).event).to_vec()
}

fn states(receiver: &Receiver) -> Vec<(i64, Value)> {
    receiver.list().iter().map(|row| (row["id"].as_i64().unwrap(), row["state"].clone())).collect()
}

#[test]
fn a_delivery_that_is_too_old_or_too_new_is_a_dead_letter_that_says_so() {
    let receiver = start(&[]);
    let (old, new) = (sent("Visitor1", 11 * 60), sent("Visitor2", -11 * 60));
    for body in [&old, &new, &old, &new] {
        assert_eq!(receiver.deliver(body), 200);
    }
    for (visitor, seconds_ago) in [("Visitor3", 9 * 60), ("Visitor4", -9 * 60)] {
        assert_eq!(receiver.deliver(sent(visitor, seconds_ago)), 200);
    }
    eventually("the others are done", || count(&receiver.folder, "state = 'done'") == 2);
    let rows = receiver.list();
    let problems: Vec<_> = rows.iter().filter_map(|row| row["problem"].as_str()).collect();
    let [too_old, too_new] = problems.try_into().unwrap();
    // A busy machine can take a while until the receiver reads its clock.
    let seconds = |problem: &str| problem.split(' ').nth(1).unwrap().parse::<u32>().unwrap();
    assert!((660..960).contains(&seconds(too_old)) && too_old.ends_with(" s ago, which is too long"), "{too_old}");
    assert!((600..=660).contains(&seconds(too_new)) && too_new.ends_with(" s in the future"), "{too_new}");
    assert_eq!(count(&receiver.folder, "state = 'dead' AND attempts = 0"), 2);
    let worked_on = receiver.worked_on().join("\n");
    assert!(!worked_on.contains("Visitor1") && !worked_on.contains("Visitor2"), "{worked_on}");
    receiver.logs(&format!(", stale: {too_old}"));
}

#[test]
fn a_stale_dead_letter_gives_way_to_a_fresh_delivery_of_its_item() {
    let receiver = start(&[StubChannel::start("slack", &[Answer::Taken])]);
    assert_eq!(receiver.deliver(sent("Visitor1", 3_600)), 200);
    assert_eq!(states(&receiver), [(1, json!("dead")), (2, json!("dead"))]);
    assert_eq!(receiver.deliver(sent("Visitor1", 0)), 200);
    for id in [3, 4] {
        receiver.row(id, "done");
    }
    // The stale dead letter is gone. Otherwise, `retry --dead` would have the item worked on and forwarded again.
    assert_eq!(states(&receiver), [(3, json!("done")), (4, json!("done"))]);
    // Replays of an item that is done add no row.
    for seconds_ago in [0, 3_600, 7_200] {
        assert_eq!(receiver.deliver(sent("Visitor1", seconds_ago)), 200);
    }
    assert_eq!(states(&receiver), [(3, json!("done")), (4, json!("done"))]);
    assert_eq!((count(&receiver.folder, "true"), count_in(&receiver.folder, "record", "true")), (2, 1));
}

#[test]
fn a_replay_of_what_is_pruned_is_not_worked_on_again() {
    let receiver = start(&[]);
    assert_eq!(receiver.deliver(sent("Visitor1", 0)), 200);
    receiver.row(1, "done");
    let days = if POSTGRES { "interval '2 days'" } else { "2 * 86400" };
    execute(&receiver.folder, &format!("UPDATE record SET received_at = received_at - {days}"));
    assert_eq!(run(&receiver.folder, &["prune", "--older-than", "1"]).stdout, b"rows deleted: 1\n");
    for _ in 0..3 {
        assert_eq!(receiver.deliver(sent("Visitor1", 2 * 86_400)), 200);
    }
    assert_eq!(states(&receiver), [(2, json!("dead"))]);
    assert_eq!(receiver.worked_on().len(), 2);
}

#[test]
fn an_operator_can_have_a_stale_dead_letter_worked_on_and_forwarded() {
    let channels = [StubChannel::start("slack", &[Answer::Taken])];
    let receiver = start(&channels);
    assert_eq!(receiver.deliver(sent("Visitor1", 3_600)), 200);
    let rows: Vec<_> = receiver.list().iter().map(|row| (row["channel"].clone(), row["state"].clone())).collect();
    assert_eq!(rows, [(json!(null), json!("dead")), (json!("slack"), json!("dead"))]);
    assert_eq!(run(&receiver.folder, &["retry", "1"]).stdout, b"rows put back to waiting: 1\n");
    receiver.row(1, "done");
    // The item is known now, although the row of Slack is still dead.
    for seconds_ago in [0, 3_600] {
        assert_eq!(receiver.deliver(sent("Visitor1", seconds_ago)), 200);
    }
    assert_eq!(states(&receiver), [(1, json!("done")), (2, json!("dead"))]);
    assert_eq!(run(&receiver.folder, &["retry", "--dead"]).stdout, b"rows put back to waiting: 1\n");
    receiver.all_done();
    assert_eq!((receiver.worked_on().len(), channels[0].visitors()), (2, vec!["Visitor1".to_owned()]));
    // The inbox now knows the item under its stale key. So neither a fresh nor a stale delivery of it is worked on
    // again.
    for seconds_ago in [0, 3_600] {
        assert_eq!(receiver.deliver(sent("Visitor1", seconds_ago)), 200);
    }
    assert_eq!(states(&receiver), [(1, json!("done")), (2, json!("done"))]);
}

#[test]
fn without_a_tolerance_any_age_is_worked_on() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(sent("Visitor1", 330 * 86_400)), 200);
    receiver.all_done();
    // A dead letter that cannot be decoded says so as its problem, however old its delivery is.
    let receiver = start(&[]);
    let bad = fixtures::UNREPLIED.replace(r#""push_times": 4"#, r#""push_times": "four""#);
    for _ in 0..2 {
        assert_eq!([receiver.deliver("not JSON"), receiver.deliver(&bad)], [200, 200]);
    }
    let rows = receiver.list();
    assert!(rows.len() == 2 && rows[1]["problem"].as_str().unwrap().contains("push_times"), "{rows:?}");
}

#[test]
fn a_tolerance_that_is_no_time_is_refused_at_the_start() {
    let folder = folder();
    Receiver::start_in(&folder).stop();
    for value in ["600", "ten minutes", "-10m", "0s"] {
        let output = command(&folder).env("TOLERANCE", value).env("ADDR", NOWHERE).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{value}");
        let expected = "receiver: TOLERANCE: expected a time such as 90s, 10m or 2h\n";
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected, "{value}");
    }
    for value in ["90s", "10m", "2h", ""] {
        let mut command = command(&folder);
        command.env("TOLERANCE", value);
        Receiver::spawn(&folder, command);
    }
    assert!(list(&folder).is_empty());
}
