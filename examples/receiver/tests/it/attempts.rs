//! When items are worked on, and how often.

use std::fs;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::channels;
use crate::support::{
    Answer, Receiver, SHORT_PAUSES, StubChannel, beginnings, command, count, eventually, execute, folder, message, run,
    with_timings, worked_on,
};

#[test]
fn a_failed_item_is_tried_five_times_and_then_dead_until_it_is_put_back() {
    let receiver = Receiver::start();
    let repaired = receiver.folder.join("repaired");
    let start = Instant::now();
    assert_eq!(receiver.deliver(message("Visitor1", repaired.to_str().unwrap(), 1).to_vec()), 200);
    assert_eq!(receiver.deliver(message("Visitor2", "panic", 1).to_vec()), 200);
    // Meanwhile, other items are worked on.
    assert_eq!(receiver.deliver(message("Visitor3", "hello", 1).to_vec()), 200);
    receiver.row(3, "done");

    let [away, panicked] = [receiver.row(1, "dead"), receiver.row(2, "dead")];
    assert!(start.elapsed() >= Duration::from_secs(1 + 2 + 4 + 8));
    assert_eq!((&away["attempts"], &away["problem"]), (&json!(5), &json!("the ticket system is away")));
    assert_eq!((&panicked["attempts"], &panicked["problem"]), (&json!(5), &json!("the work panicked")));
    receiver.logs("panic at ");
    assert!(!receiver.log().contains("47114711"), "{}", receiver.log());
    assert_eq!(beginnings(&receiver.folder), [(1, 5), (2, 5), (3, 1)].into());
    let dead = String::from_utf8(run(&receiver.folder, &["list", "--dead"]).stdout).unwrap();
    assert_eq!(dead.lines().count(), 2, "{dead}");

    fs::write(&repaired, "").unwrap();
    let put_back = run(&receiver.folder, &["retry", "--dead"]);
    assert_eq!(put_back.stdout, b"rows put back to waiting: 2\n");
    let row = receiver.row(1, "done");
    assert_eq!((&row["attempts"], &row["problem"]), (&json!(1), &json!(null)));
    assert!(run(&receiver.folder, &["retry", "3"]).status.success());
    eventually("it is worked on again", || beginnings(&receiver.folder)[&3] == 2);
}

#[test]
fn as_many_items_are_worked_on_at_a_time_as_there_are_workers() {
    let folder = folder();
    let mut command = command(&folder);
    command.args(["--workers", "3"]);
    with_timings(&mut command, "look=20");
    let receiver = Receiver::spawn(&folder, command);
    for number in 1..=5 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "never end", 1).to_vec()), 200);
    }
    eventually("three are in work", || count(&folder, "owner IS NOT NULL") == 3);
    eventually("three have begun", || worked_on(&folder).len() == 3);
    // Meanwhile, the receiver looks for more many times.
    assert_eq!(receiver.deliver(message("Visitor6", "hello", 1).to_vec()), 200);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(count(&folder, "owner IS NOT NULL"), 3);
    let rows = receiver.list();
    assert_eq!(rows.iter().filter(|row| row["state"] == "in work").count(), 3);
    assert_eq!(rows.iter().filter(|row| row["waits_for"] == "its turn").count(), 3);
}

#[test]
fn two_receivers_on_one_inbox_do_not_work_on_the_same_item() {
    let folder = folder();
    let mut receivers = [Receiver::start_in(&folder), Receiver::start_in(&folder)];
    let deliver = |receivers: &[Receiver], range: std::ops::Range<usize>| {
        thread::scope(|scope| {
            for number in range {
                let receiver = &receivers[number % receivers.len()];
                scope.spawn(move || {
                    // Each message is delivered twice: with two receivers, once to each.
                    let body = message(&format!("Visitor{}", number / 2), "hello", 1).to_vec();
                    assert_eq!(receiver.deliver(body), 200);
                });
            }
        });
    };
    deliver(&receivers, 0..200);
    receivers[0].all_done();
    assert_eq!(beginnings(&folder), (1..=100).map(|id| (id, 1)).collect());

    // If one receiver is killed, the other goes on. The test kills each of them once.
    let [first, second] = &mut receivers;
    first.kill();
    deliver(std::slice::from_ref(second), 200..210);
    second.all_done();
    *first = Receiver::start_in(&folder);
    second.kill();
    deliver(std::slice::from_ref(first), 210..220);
    first.all_done();
    assert_eq!(beginnings(&folder), (1..=110).map(|id| (id, 1)).collect());
}

#[test]
fn what_is_in_work_at_the_end_is_worked_on_again() {
    let mut receiver = Receiver::start_with("grace=500");
    assert_eq!(receiver.deliver(message("Visitor1", "never end", 1).to_vec()), 200);
    let is_in_work = || count(&receiver.folder, "owner IS NOT NULL") == 1 && !receiver.worked_on().is_empty();
    eventually("it is in work", is_in_work);
    assert_eq!(receiver.stop().code(), Some(0));
    // The receiver has put the row back itself. It does not leave this to the next receiver.
    assert_eq!(count(&receiver.folder, "owner IS NOT NULL"), 0);
    let again = Receiver::start_in(&receiver.folder);
    eventually("it is worked on again", || beginnings(&again.folder) == [(1, 2)].into());
    assert_eq!(again.list()[0]["problem"], "the receiver ended before this was done");
}

#[test]
fn a_row_whose_last_attempt_is_cut_off_is_dead() {
    for (lane, attempts, dead) in [("", 4, 0), ("", 5, 1), ("slack", 10, 0), ("slack", 11, 1)] {
        let channels = [StubChannel::start("slack", &[Answer::Never])];
        let mut first = channels::start(&channels);
        assert_eq!(first.deliver(message("Visitor1", "never end", 1).to_vec()), 200);
        eventually("both are in work", || count(&first.folder, "owner IS NOT NULL") == 2);
        let values = format!("attempts = {attempts}, problem = 'an earlier attempt failed'");
        execute(&first.folder, &format!("UPDATE item SET {values} WHERE channel = '{lane}'"));
        first.kill();
        let second = channels::start_in(&first.folder, &channels);
        let cut_off = "problem = 'the receiver ended before this was done'";
        eventually("both attempts are cut off", || count(&second.folder, cut_off) == 2);
        assert_eq!(count(&second.folder, "state = 'dead'"), dead, "attempt {attempts} for {lane:?}");
    }
}

#[test]
fn work_that_ends_in_time_is_noted_before_the_receiver_ends() {
    let mut receiver = Receiver::start_with("grace=60000");
    for number in 0..50 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    assert_eq!(receiver.stop().code(), Some(0));
    assert_eq!(count(&receiver.folder, "owner IS NOT NULL"), 0);
    let ended = worked_on(&receiver.folder).iter().filter(|line| line.starts_with("end")).count();
    assert_eq!(count(&receiver.folder, "state = 'done'"), i64::try_from(ended).unwrap());
}

#[test]
fn a_receiver_that_is_told_to_stop_begins_no_more_work() {
    let folder = folder();
    let mut command = command(&folder);
    command.args(["--workers", "1"]);
    with_timings(&mut command, "grace=60000");
    let mut receiver = Receiver::spawn(&folder, command);
    for (visitor, text) in [("Visitor1", "wait for the file"), ("Visitor2", "hello")] {
        assert_eq!(receiver.deliver(message(visitor, text, 1).to_vec()), 200);
    }
    eventually("it is in work", || worked_on(&folder).len() == 1);
    receiver.signal("TERM");
    eventually("no connection is accepted", || TcpStream::connect(&receiver.address).is_err());
    fs::write(folder.join("go on"), "").unwrap();
    assert_eq!(receiver.wait().code(), Some(0));
    assert_eq!(beginnings(&folder), [(1, 1)].into());
    assert_eq!(count(&folder, "state = 'done'"), 1);
}

#[test]
fn when_all_threads_are_blocked_the_log_says_so_and_the_work_goes_on_later() {
    let folder = folder();
    let mut command = command(&folder);
    command.args(["--workers", "20"]);
    let pauses = ["1"; 100].join(",");
    with_timings(&mut command, &format!("work=300 look=50 work_pauses={pauses}"));
    let receiver = Receiver::spawn(&folder, command);
    // Each attempt blocks a thread, and there are 120 threads.
    for number in 0..20 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "block until the file", 1).to_vec()), 200);
    }
    receiver.logs("no work begins any more");
    assert_eq!(receiver.deliver(message("Visitor20", "hello", 1).to_vec()), 200);
    fs::write(folder.join("go on"), "").unwrap();
    receiver.logs("work begins again");
    receiver.row(21, "done");
    let log = receiver.log();
    let (before, after) = log.split_once("no work begins any more").unwrap();
    assert!(before.matches("still blocks its thread").count() >= 120, "{log}");
    let meanwhile = after.split_once("work begins again").unwrap().0;
    assert!(!meanwhile.contains("attempt") && !meanwhile.contains("no work begins"), "{log}");
}

#[test]
fn a_second_receiver_leaves_alone_what_the_first_works_on() {
    let first = Receiver::start();
    assert_eq!(first.deliver(message("Visitor1", "never end", 1).to_vec()), 200);
    eventually("it is in work", || !first.worked_on().is_empty());
    let second = Receiver::start_in(&first.folder);
    for number in 2..=20 {
        assert_eq!(second.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    eventually("the others are done", || count(&first.folder, "state = 'done'") == 19);
    assert_eq!(beginnings(&first.folder), (1..=20).map(|id| (id, 1)).collect());
}

#[test]
fn work_that_blocks_its_threads_does_not_bring_the_receiver_down() {
    let folder = folder();
    let mut command = command(&folder);
    command.args(["--workers", "2"]);
    with_timings(&mut command, &format!("work=1000 grace=1000 {SHORT_PAUSES}"));
    let mut receiver = Receiver::spawn(&folder, command);
    for (number, text) in ["block", "block", "spawn and block", "spawn and block"].into_iter().enumerate() {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), text, 1).to_vec()), 200);
    }
    let blocked = receiver.row(1, "dead");
    assert_eq!(blocked["problem"], "the work took longer than 1s, and still blocks its thread");
    assert_eq!(blocked["attempts"], 5);
    let spawned = receiver.row(3, "dead");
    assert!(spawned["problem"].as_str().unwrap().starts_with("the work took longer than 1s"), "{spawned}");
    // Deliveries are still answered, other items worked on, and the receiver can be stopped.
    assert_eq!(receiver.deliver(message("Visitor5", "panic", 1).to_vec()), 200);
    receiver.row(5, "dead");
    assert_eq!(receiver.get("/healthz").0, 200);
    assert_eq!(receiver.stop().code(), Some(0));
}
