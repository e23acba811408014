//! Several receivers on one inbox.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use twt_chat_webhooks::{Payload, UnrepliedContent};

use crate::POSTGRES;
use crate::support::{
    Answer, Link, Proxy, Receiver, StubChannel, beginnings, can_be_written, command, connect, count, eventually,
    execute, folder, forwarding, inbox, message, rows, runtime, server_port, with_timings, worked_on,
};

/// A delivery with many items.
fn batch(number: usize, size: usize) -> Vec<u8> {
    let first = message("Visitor", "hello", 1);
    let items: Vec<UnrepliedContent> = (0..size)
        .map(|item| {
            let message = message(&format!("Visitor{number}-{item}"), "hello", 1);
            message.event.as_unreplied().unwrap()[0].clone()
        })
        .collect();
    Payload::new(first.created_at, first.webhook_id, items).to_vec()
}

fn each_once(folder: &std::path::Path, items: i64) {
    assert_eq!(beginnings(folder), (1..=items).map(|id| (id, 1)).collect::<BTreeMap<_, _>>());
}

#[test]
fn three_receivers_work_on_each_item_once() {
    let folder = folder();
    let receivers = [(); 3].map(|()| {
        let mut command = command(&folder);
        command.args(["--workers", "16"]);
        Receiver::spawn(&folder, command)
    });
    thread::scope(|scope| {
        for number in 0..100 {
            let receiver = &receivers[number % 3];
            scope.spawn(move || assert_eq!(receiver.deliver(batch(number, 50)), 200));
        }
    });
    receivers[0].all_done();
    each_once(&folder, 5_000);
}

#[test]
fn every_receiver_works() {
    let folder = folder();
    let start = || {
        let mut command = command(&folder);
        command.args(["--workers", "1"]);
        Receiver::spawn(&folder, command)
    };
    let receivers = [(); 3].map(|()| start());
    for number in 0..3 {
        assert_eq!(receivers[0].deliver(message(&format!("Visitor{number}"), "never end", 1).to_vec()), 200);
    }
    eventually("each works on one item", || worked_on(&folder).len() == 3);
    assert_eq!(rows(&folder, "SELECT count(DISTINCT owner) FROM item"), [["3"]]);
}

#[test]
fn the_pace_of_a_channel_and_its_pause_hold_for_all_receivers() {
    let pause = Answer::Text("429 Too Many Requests\r\nRetry-After: 6", "rate_limited");
    let channels = [StubChannel::start("slack", &[Answer::Taken, Answer::Taken, Answer::Taken, pause, Answer::Taken])];
    let folder = folder();
    let receivers = [(); 3].map(|()| Receiver::spawn(&folder, forwarding(&folder, &channels)));
    for number in 0..8 {
        let body = message(&format!("Visitor{number}"), "hello", 1).to_vec();
        assert_eq!(receivers[number % 3].deliver(body), 200);
    }
    receivers[0].all_done();
    let times: Vec<_> = channels[0].requests().iter().map(|request| request.at).collect();
    for (number, pair) in times.windows(2).enumerate() {
        let least = if number == 3 { 6_000 } else { 1_000 };
        // The stub notes the time after it has read a request. It may notice the first of two requests late, which
        // makes the gap look shorter.
        assert!(pair[1] - pair[0] >= Duration::from_millis(least - 50), "{number}: {:?}", pair[1] - pair[0]);
    }
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    println!("gaps between the messages of three receivers: {:.2?}", gaps.collect::<Vec<_>>());
    let mut visitors = channels[0].visitors();
    visitors.sort_unstable();
    visitors.dedup();
    assert_eq!((visitors.len(), channels[0].requests().len()), (8, 9));
}

/// Runs on PostgreSQL only. On SQLite, one receiver writes at a time.
#[test]
fn receivers_that_look_at_the_same_time_have_one_message_to_a_channel_under_way() {
    if !POSTGRES {
        return;
    }
    // This is longer than the pace of the channel.
    let time = Duration::from_secs(4);
    let channels = [StubChannel::start("slack", &[Answer::Late(time)])];
    let folder = folder();
    let receivers = [(); 2].map(|()| Receiver::spawn(&folder, forwarding(&folder, &channels)));
    eventually("both have a number", || rows(&folder, "SELECT last_value FROM owner_number") == [["2"]]);
    // With this lock, nobody can note that a message to the channel is under way.
    let client = runtime().block_on(connect(&inbox(&folder)));
    runtime().block_on(client.batch_execute("BEGIN; SELECT FROM channel FOR UPDATE")).unwrap();
    for (number, receiver) in receivers.iter().enumerate() {
        assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
    }
    // Meanwhile, both receivers look for messages.
    thread::sleep(Duration::from_secs(2));
    runtime().block_on(client.batch_execute("COMMIT")).unwrap();
    receivers[0].all_done();
    let times: Vec<_> = channels[0].requests().iter().map(|request| request.at).collect();
    assert!(times.len() == 2 && times[1] - times[0] >= time, "{times:?}");
}

#[test]
fn what_a_killed_receiver_had_in_work_is_taken_by_another() {
    let channels = [StubChannel::start("slack", &[Answer::Never])];
    let folder = folder();
    let first = Receiver::spawn(&folder, forwarding(&folder, &channels));
    assert_eq!(first.deliver(message("Visitor1", "never end", 1).to_vec()), 200);
    eventually("it is in work", || worked_on(&folder).len() == 1 && channels[0].requests().len() == 1);
    let second = Receiver::spawn(&folder, forwarding(&folder, &channels));
    channels[0].answer(&[Answer::Taken]);
    // The test does not wait for the process. So the process stays as a zombie, of which only the exit status is left.
    let killed = Instant::now();
    first.signal("KILL");
    eventually("the other works on it", || beginnings(&folder) == [(1, 2)].into());
    eventually("the other has sent it", || count(&folder, "channel = 'slack' AND state = 'done'") == 1);
    let requests = channels[0].requests();
    assert_eq!(requests.len(), 2);
    // Nobody knows when the message of the first arrived, so the other waits for the whole pace of the channel.
    assert!(requests[1].at - killed >= Duration::from_secs(1), "{:?}", requests[1].at - killed);
    assert_eq!(second.list()[0]["problem"], "the receiver ended before this was done");
}

#[test]
fn a_receiver_that_is_told_to_stop_keeps_what_it_finishes() {
    let channels = [StubChannel::start("slack", &[Answer::Late(Duration::from_secs(13))])];
    let folder = folder();
    let start = || {
        let mut command = forwarding(&folder, &channels);
        with_timings(&mut command, "idle=6000 statement=5000 silence=6000 look=100");
        Receiver::spawn(&folder, command)
    };
    let mut first = start();
    first.deliver_until_kept(message("Visitor1", "hello", 1).to_vec());
    eventually("slack has it", || channels[0].requests().len() == 1);
    let second = start();
    // `first` waits for the answer of Slack for longer than `second` would wait for a sign of life.
    assert_eq!(first.stop().code(), Some(0));
    second.all_done();
    assert_eq!(channels[0].requests().len(), 1);
}

#[test]
fn a_receiver_never_has_the_number_of_an_earlier_one() {
    let mut first = Receiver::start_with("grace=500");
    assert_eq!(first.deliver(message("Visitor1", "never end", 1).to_vec()), 200);
    let folder = first.folder.clone();
    let owner = || {
        eventually("it is in work", || count(&folder, "owner IS NOT NULL") == 1);
        rows(&folder, "SELECT owner FROM item")[0][0].clone()
    };
    let before = owner();
    first.stop();
    let _second = Receiver::start_in(&folder);
    assert_ne!(owner(), before);
}

/// How often a receiver on SQLite has shown that it is alive. Each time is a write to the disk.
fn beat(receiver: &Receiver) -> u64 {
    rows(&receiver.folder, "SELECT beat FROM receiver")[0][0].parse().unwrap()
}

#[test]
fn a_receiver_shows_that_it_is_alive_only_while_it_has_rows_in_work() {
    if POSTGRES {
        return;
    }
    let receiver = Receiver::start_with("look=50");
    assert_eq!(receiver.deliver(message("Visitor1", "hello", 1).to_vec()), 200);
    receiver.all_done();
    let before = beat(&receiver);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(beat(&receiver), before);
    assert_eq!(receiver.deliver(message("Visitor2", "never end", 1).to_vec()), 200);
    eventually("it shows several times that it is alive", || beat(&receiver) > before + 4);
}

#[test]
fn a_receiver_shows_that_it_is_alive_when_it_takes_or_notes_something() {
    if POSTGRES {
        return;
    }
    // Without such a reason, the receiver would show that it is alive only after two hours.
    let receiver = Receiver::start_with("look=3600000");
    assert_eq!(receiver.deliver(message("Visitor1", "never end", 1).to_vec()), 200);
    eventually("it is in work", || count(&receiver.folder, "owner IS NOT NULL") == 1);
    assert_eq!(beat(&receiver), 1);
    // After these deliveries, the receiver takes no row and notes no outcome.
    for number in 0..5 {
        assert_eq!(receiver.deliver(format!("not JSON {number}")), 200);
    }
    assert_eq!(receiver.deliver(message("Visitor2", "hello", 1).to_vec()), 200);
    receiver.row(7, "done");
    assert_eq!(beat(&receiver), 3);
}

#[test]
fn what_a_frozen_receiver_has_in_work_is_taken_by_the_only_one_that_runs() {
    let folder = folder();
    let start = |timings: &str| {
        let mut command = command(&folder);
        with_timings(&mut command, timings);
        Receiver::spawn(&folder, command)
    };
    let frozen = [(); 2].map(|()| start("idle=6000 statement=5000 look=100"));
    frozen[0].deliver_until_kept(message("Visitor0", "never end", 1).to_vec());
    eventually("it is in work", || worked_on(&folder).len() == 1);
    let go_on = || frozen.iter().for_each(|receiver| receiver.signal("CONT"));
    eventually("both are frozen, and not in the middle of a write", || {
        frozen.iter().for_each(Receiver::freeze);
        // On SQLite, nobody can write until a frozen process has ended its transaction.
        let is_free = can_be_written(&folder);
        if !is_free {
            go_on();
        }
        is_free
    });
    // On SQLite, the receiver that runs notices the silence. On PostgreSQL, the database server does.
    let runs = start("silence=6000 look=100");
    // This receiver shows all the time that it is alive, but not that the others are.
    runs.deliver_until_kept(message("Visitor", "never end", 1).to_vec());
    for number in 1..20 {
        let status = runs.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec());
        assert_eq!(status, 200, "{}", runs.log());
    }
    eventually("all but one are done", || count(&folder, "state = 'done'") == 19);
    eventually("the other works on it", || beginnings(&folder).get(&1) == Some(&2));
    go_on();
    let lost = "all work is stopped and begins again";
    eventually("one has noticed", || frozen.iter().any(|receiver| receiver.log().contains(lost)));
    assert_eq!(rows(&folder, "SELECT attempts FROM item WHERE id = 1"), [["2"]]);
    // The receivers that were frozen work again.
    frozen[0].deliver_until_kept(message("Visitor20", "hello", 1).to_vec());
    eventually("it is done", || count(&folder, "state = 'done'") == 20);
}

#[test]
fn a_receiver_that_is_cut_off_stops_its_work_and_notes_nothing() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let proxy = Proxy::to(server_port());
    let mut command = command(&folder);
    let database = folder.file_name().unwrap().to_str().unwrap();
    command.env("INBOX", format!("postgres://receiver@127.0.0.1:{}/{database}", proxy.port));
    with_timings(&mut command, "idle=6000 statement=5000 look=100");
    let cut_off = Receiver::spawn(&folder, command);
    cut_off.deliver_until_kept(message("Visitor1", "wait for the file", 1).to_vec());
    eventually("it is in work", || worked_on(&folder).len() == 1);
    proxy.set(Link::Silent);
    let other = Receiver::start_in(&folder);
    eventually("the other works on it", || beginnings(&folder) == [(1, 2)].into());
    eventually("it has noticed", || cut_off.log().contains("all work is stopped and begins again"));
    // If the work of the first receiver still ran, the work of both receivers would end now.
    std::fs::write(folder.join("go on"), "").unwrap();
    other.all_done();
    proxy.set(Link::Up);
    cut_off.deliver_until_kept(message("Visitor2", "hello", 1).to_vec());
    other.all_done();
    let ends = worked_on(&folder).iter().filter(|line| line.starts_with("end 1 ")).count();
    assert_eq!(ends, 1);
    assert_eq!(rows(&folder, "SELECT attempts, state FROM item WHERE id = 1"), [["2", "done"]]);
}

#[test]
fn an_outcome_of_an_earlier_attempt_or_of_another_owner_changes_nothing() {
    for change in ["attempts = attempts + 1", "owner = 2000000000"] {
        let receiver = Receiver::start();
        assert_eq!(receiver.deliver(message("Visitor1", "wait for the file", 1).to_vec()), 200);
        eventually("it is in work", || receiver.worked_on().len() == 1);
        // With the first change, the owner is alive, so no receiver takes the row back.
        execute(&receiver.folder, &format!("UPDATE item SET {change}"));
        std::fs::write(receiver.folder.join("go on"), "").unwrap();
        eventually("the work has ended", || receiver.worked_on().iter().any(|line| line.starts_with("end")));
        assert_eq!(receiver.deliver(message("Visitor2", "hello", 1).to_vec()), 200);
        receiver.row(2, "done");
        if change.starts_with("attempts") {
            assert_eq!(rows(&receiver.folder, "SELECT attempts, state FROM item WHERE id = 1"), [["2", "waiting"]]);
        } else {
            // No receiver has this owner number, so the row is put back to waiting and worked on again.
            receiver.row(1, "done");
            assert_eq!(beginnings(&receiver.folder)[&1], 2);
        }
    }
}

#[test]
fn only_the_holder_of_a_channel_notes_the_end_of_a_message() {
    let channels = [StubChannel::start("slack", &[Answer::Late(Duration::from_secs(2))])];
    let folder = folder();
    let owners = if POSTGRES { "SELECT last_value FROM owner_number" } else { "SELECT max(id) FROM receiver" };
    let first = Receiver::spawn(&folder, forwarding(&folder, &channels));
    first.deliver_until_kept(message("Visitor1", "hello", 1).to_vec());
    eventually("slack has the message", || channels[0].requests().len() == 1);
    assert_eq!(rows(&folder, owners), [["1"]]);
    let _second = Receiver::start_in(&folder);
    eventually("the second receiver has a number", || rows(&folder, owners) == [["2"]]);
    // The second receiver runs, so nobody frees the channel.
    execute(&folder, "UPDATE channel SET holder = 2");
    eventually("the message is done", || count(&folder, "channel = 'slack' AND state = 'done'") == 1);
    assert_eq!(rows(&folder, "SELECT holder FROM channel"), [["2"]]);
}

#[test]
fn rows_of_a_lane_that_this_receiver_does_not_know_are_left_alone() {
    let channels = [StubChannel::start("slack", &[Answer::Taken])];
    let folder = folder();
    let mut first = Receiver::spawn(&folder, forwarding(&folder, &channels));
    assert_eq!(first.deliver(message("Visitor1", "hello", 1).to_vec()), 200);
    first.all_done();
    // A newer receiver may know a channel that this receiver does not know.
    execute(&folder, "UPDATE item SET channel = 'teams', state = 'waiting' WHERE channel = 'slack'");
    let before = rows(&folder, "SELECT * FROM item WHERE channel = 'teams'");
    assert_eq!(first.deliver(message("Visitor2", "hello", 1).to_vec()), 200);
    eventually("the others are done", || count(&folder, "state = 'done'") == 3);
    first.stop();
    assert_eq!(rows(&folder, "SELECT * FROM item WHERE channel = 'teams'"), before);
}
