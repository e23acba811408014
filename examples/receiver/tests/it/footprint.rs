//! How much memory and processor time the receiver takes.

use std::fs;
use std::thread;
use std::time::Duration;

use twt_chat_webhooks::fixtures;

use crate::channels::batch;
use crate::clients::patient;
use crate::support::{Receiver, count, eventually, head, lock, message, rest, secret};

#[test]
fn a_receiver_that_has_nothing_to_do_does_not_spin() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    // The time on the processors, in hundredths of a second.
    let spent = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", receiver.process())).unwrap();
        let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = spent();
    thread::sleep(Duration::from_secs(3));
    // A loop without a pause would take all of one processor.
    let spent = spent() - before;
    assert!(spent < 30, "{spent}");
}

#[test]
fn large_bodies_of_strangers_take_as_much_memory_as_the_readme_says() {
    let receiver = patient();
    // The last byte never comes.
    let request = head(256 * 1024) + &" ".repeat(256 * 1024 - 1);
    let clients: Vec<_> = (0..520).map(|_| receiver.begin(&request)).collect();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    eventually("the bodies have arrived", || receiver.memory("VmHWM") > 128 * 1024);
    assert!(receiver.memory("VmHWM") < 200 * 1024, "{} KiB", receiver.memory("VmHWM"));
    drop(clients);
}

#[test]
fn signed_bodies_that_wait_for_a_slow_database_take_as_much_memory_as_the_readme_says() {
    let receiver = Receiver::start_with("write=5000");
    receiver.deliver_until_kept(fixtures::UNREPLIED);
    receiver.all_done();
    let locked = lock(&receiver.folder);
    // The records of each body take 4 MiB together, because each record has the whole envelope.
    let visitors: Vec<String> = (0..28).map(|number| format!("Visitor{number}")).collect();
    let mut body = batch(&visitors);
    body["note"] = "x".repeat(128 * 1024).into();
    for item in body["content"].as_array_mut().unwrap() {
        item["message_content"] = "y".repeat(4_000).into();
    }
    thread::scope(|scope| {
        for number in 0..80 {
            body["webhook_id"] = number.to_string().into();
            let body = body.to_string();
            let receiver = &receiver;
            scope.spawn(move || assert_eq!(receiver.deliver(body), 503));
        }
    });
    // The bodies take 20 MiB, and 64 MiB of their 320 MiB of records wait.
    assert!(receiver.memory("VmHWM") < 180 * 1024, "{} KiB", receiver.memory("VmHWM"));
    drop(locked);
}

#[test]
fn a_body_in_small_pieces_takes_no_more_memory_than_a_body_in_one_piece() {
    const LENGTH: usize = 80 * 1024;
    let receiver = Receiver::start();
    let body = format!("{}{}", fixtures::UNREPLIED, " ".repeat(LENGTH - fixtures::UNREPLIED.len()));
    assert_eq!(receiver.deliver(&body), 200);
    receiver.all_done();
    let before = receiver.memory("VmHWM");

    let body = body.replace("Visitor15", "Visitor16");
    let head = head(0).replace(&"0".repeat(64), &secret().sign(body.as_bytes()).to_string());
    let chunks = body.split("").filter(|character| !character.is_empty()).collect::<Vec<_>>().join("\r\n1\r\n");
    let request = head.replace("Content-Length: 0", "Connection: close\r\nTransfer-Encoding: chunked")
        + "1\r\n"
        + &chunks
        + "\r\n0\r\n\r\n";
    let answer = rest(receiver.begin(&request));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // A list of the pieces would take 3 MiB.
    assert!(receiver.memory("VmHWM") < before + 2 * 1024, "{before} to {}", receiver.memory("VmHWM"));
}

#[test]
fn bodies_with_many_bad_items_hold_nobody_up_and_take_little_memory() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    let bad = |number: usize| {
        let start = format!(r#"{{"created_at":{number},"event":"UNREPLIED","webhook_id":"","content":["#);
        let items = "1,".repeat((249 * 1024 - start.len()) / 2);
        format!("{start}{items}1]}}")
    };
    thread::scope(|scope| {
        let bad: Vec<_> = (0..24)
            .map(|number| {
                scope.spawn({
                    let (receiver, body) = (&receiver, bad(number));
                    move || receiver.deliver(body)
                })
            })
            .collect();
        for number in 0..20 {
            assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
        }
        for answer in bad {
            assert_eq!(answer.join().unwrap(), 200);
        }
    });
    // Each body is one dead letter. Its 127,000 items are not.
    assert_eq!(count(&receiver.folder, "state = 'dead'"), 24);
    // Only two bodies are taken apart at a time, so the memory stays below 160 MiB.
    assert!(receiver.memory("VmHWM") < 160 * 1024, "{} KiB", receiver.memory("VmHWM"));
}
