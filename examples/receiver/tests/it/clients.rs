//! Clients that stall, flood or read nothing, and logs that nobody reads.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use twt_chat_webhooks::fixtures;

use crate::support::{
    Receiver, command, eventually, folder, head, lock, message, rest, runtime, secret, try_post, with_timings,
};

#[test]
fn without_a_signature_the_body_is_not_waited_for() {
    let receiver = Receiver::start();
    for header in ["", "X-Chat-Signature: sha256\r\n"] {
        let head = format!(
            "POST /webhooks/twt-chat HTTP/1.1\r\nHost: example.com\r\n{header}Content-Length: 1000\r\n\
             Expect: 100-continue\r\n\r\n"
        );
        let answer = rest(receiver.begin(&head));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
}

#[test]
fn clients_that_stall_are_dropped_and_hold_nobody_up() {
    let receiver = Receiver::start_with("read=10000");
    let silent: Vec<_> = (0..50).map(|_| receiver.begin("")).collect();
    let heads: Vec<_> = (0..50).map(|_| receiver.begin("POST /webhooks/twt-chat HTTP/1.1\r\nHost: ex")).collect();
    let bodies: Vec<_> = (0..50).map(|_| receiver.begin(&(head(1000) + "{"))).collect();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.row(1, "done");
    for stream in silent.into_iter().chain(heads) {
        let answer = rest(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    for stream in bodies {
        let answer = rest(stream);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[test]
fn a_connection_that_is_kept_open_is_dropped_too() {
    let receiver = Receiver::start_with("age=5000");
    let answer = rest(receiver.begin("GET /healthz HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn clients_that_stall_are_cut_off_when_the_receiver_ends() {
    let mut receiver = patient();
    let heads: Vec<_> = (0..50).map(|_| receiver.begin("POST /webhooks/twt-chat HTTP/1.1\r\nHost: ex")).collect();
    let bodies: Vec<_> = (0..50).map(|_| receiver.begin(&(head(1000) + "{"))).collect();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    assert_eq!(receiver.stop().code(), Some(0));
    // The receiver has cut these clients off: no client has reached its limit of time, which is ten minutes.
    for stream in heads.into_iter().chain(bodies) {
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn a_running_request_is_finished_before_the_end() {
    let mut receiver = Receiver::start_with("grace=60000");
    let body = fixtures::UNREPLIED;
    let signature = secret().sign(body.as_bytes()).to_string();
    let mut stream = receiver.begin(&(head(body.len()).replace(&"0".repeat(64), &signature) + &body[..100]));
    // The receiver has accepted this connection once it answers a later one.
    assert_eq!(receiver.get("/healthz").0, 200);
    receiver.signal("INT");
    eventually("no connection is accepted", || TcpStream::connect(&receiver.address).is_err());
    stream.write_all(&body.as_bytes()[100..]).unwrap();
    assert!(rest(stream).starts_with("HTTP/1.1 200 "));
    assert_eq!(receiver.wait().code(), Some(0));
    assert_eq!(receiver.list().len(), 1);
}

#[test]
fn a_second_signal_ends_the_receiver_at_once() {
    // The first signal leaves enough time for the second one.
    let mut receiver = Receiver::start_with("grace=60000");
    let stream = receiver.begin(&(head(1000) + "{"));
    assert_eq!(receiver.get("/healthz").0, 200);
    receiver.signal("TERM");
    eventually("no connection is accepted", || TcpStream::connect(&receiver.address).is_err());
    receiver.signal("TERM");
    assert_eq!(receiver.wait().code(), Some(1));
    drop(stream);
}

/// A receiver that ends no connection because of its time, so that a place is only free when a client gives way.
pub fn patient() -> Receiver {
    let _ = rlimit::increase_nofile_limit(20_000);
    Receiver::start_with("read=600000 age=600000")
}

/// Clients that do not send anything.
fn idle(receiver: &Receiver, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| receiver.begin("")).collect()
}

#[test]
fn idle_connections_give_way() {
    let receiver = patient();
    let body = message("Visitor1", "hello", 1).to_vec();
    let signature = secret().sign(&body).to_string();
    let head = head(body.len()).replace(&"0".repeat(64), &signature);
    // This client has delivered something, so it keeps its place.
    let mut known = BufReader::new(receiver.begin(""));
    let mut deliver = || {
        known.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let mut answer = String::new();
        while !answer.contains("\r\n\r\n") {
            assert!(known.read_line(&mut answer).unwrap() > 0, "{answer}");
        }
        let length = answer.to_lowercase().split_once("content-length: ").unwrap().1.lines().next().unwrap().parse();
        known.read_exact(&mut vec![0; length.unwrap()]).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    deliver();
    let clients = idle(&receiver, 600);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    deliver();
    receiver.logs("all 512 connections are taken");
    // The clients that came first were cut off.
    assert_eq!(rest(clients.into_iter().next().unwrap()), "");
    // The log says so once a minute at most.
    let warnings = receiver.log().matches("all 512 connections are taken").count();
    assert!(warnings < 10, "{warnings}");
}

#[test]
fn a_client_that_has_delivered_gives_way_too_if_all_have_delivered() {
    let receiver = patient();
    let body = message("Visitor1", "hello", 1).to_vec();
    let head = head(body.len()).replace(&"0".repeat(64), &secret().sign(&body).to_string());
    let request = head + str::from_utf8(&body).unwrap();
    let mut clients: Vec<_> = (0..512).map(|_| receiver.begin(&request)).collect();
    for client in &mut clients {
        let mut answer = [0; 13];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 ");
    }
    assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
}

#[test]
fn slow_clients_with_a_made_up_signature_keep_nobody_out() {
    let receiver = patient();
    let mut clients = JoinSet::new();
    for _ in 0..700 {
        let address = receiver.address.clone();
        // Each client sends a byte per second. A client that is cut off comes back.
        let client = async move {
            loop {
                let Ok(mut stream) = tokio::net::TcpStream::connect(&address).await else { continue };
                let mut sent = stream.write_all(head(1_000).as_bytes()).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    sent = stream.write_all(b"{").await;
                }
            }
        };
        clients.spawn_on(client, runtime().handle());
    }
    eventually("all places are taken", || receiver.log().contains("all 512 connections are taken"));
    for number in 0..10 {
        let body = message(&format!("Visitor{number}"), "hello", 1).to_vec();
        let signature = secret().sign(&body).to_string();
        // On a busy machine, a client can take longer than half a second for its request, so it can give way too. Then
        // the platform sends the delivery again.
        let mut answers = (0..5).map(|_| try_post(&receiver.address, &body, Some(&signature)));
        let answer = answers.find_map(Result::ok);
        assert_eq!(answer.map(|(status, _)| status), Some(200));
    }
    drop(clients);
}

#[test]
fn a_delivery_that_waits_for_the_inbox_does_not_give_way() {
    let receiver = patient();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    let lock = lock(&receiver.folder);
    let body = fixtures::OFFLINE_FORM_SUBMIT;
    let signature = secret().sign(body.as_bytes()).to_string();
    let delivery = receiver.begin(&(head(body.len()).replace(&"0".repeat(64), &signature) + body));
    // Each of the first 512 clients is older than half a second when the others come, so all of them give way. The
    // delivery is older still, but it waits for the inbox, so it keeps its place.
    let first = idle(&receiver, 512);
    thread::sleep(Duration::from_millis(600));
    let second = idle(&receiver, 512);
    for client in first {
        assert_eq!(rest(client), "");
    }
    drop((lock, second));
    assert!(start(delivery).starts_with("HTTP/1.1 200 "));
}

/// The start of an answer on a connection that stays open.
fn start(mut stream: TcpStream) -> String {
    let mut answer = vec![0; 64];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn no_more_than_512_connections_are_served() {
    let receiver = patient();
    // Only connections that the receiver has accepted have an open file in its process. Connections to PostgreSQL have
    // another local port.
    let port: u16 = receiver.address.rsplit_once(':').unwrap().1.parse().unwrap();
    let accepted = || receiver.connections().into_iter().filter(|(local, _)| *local == port).count();
    let streams = idle(&receiver, 600);
    for _ in 0..3 {
        // The receiver accepts the connection of this check after all others.
        assert_eq!(receiver.get("/healthz").0, 200);
        // The number can be 513, because one more connection can be accepted and wait for a place. On a busy machine,
        // several connections can give way for one, and a connection can end while the files are counted.
        eventually("512 or fewer are open", || (256..=513).contains(&accepted()));
    }
    drop(streams);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
}

/// A receiver that `ulimit` has given few open files.
fn with_open_files(limit: &str) -> Receiver {
    let _ = rlimit::increase_nofile_limit(20_000);
    let folder = folder();
    let command = command(&folder);
    let mut limited = Command::new("sh");
    let script = format!("ulimit {limit} && exec \"$0\"");
    limited.args(["-c", &script]).arg(command.get_program()).current_dir(&folder).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    with_timings(&mut limited, "read=600000 age=600000");
    Receiver::spawn(&folder, limited)
}

#[test]
fn with_few_open_files_nobody_is_kept_out() {
    let receiver = with_open_files("-n 100");
    let clients = idle(&receiver, 120);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.row(1, "done");
    receiver.logs("only 50 connections are served at a time, because only 100 files may be open");
    drop(clients);
}

#[test]
#[cfg(target_os = "linux")]
fn the_limit_of_open_files_is_raised_as_far_as_the_receiver_needs() {
    let mut receiver = with_open_files("-S -n 300");
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    let limits = fs::read_to_string(format!("/proc/{}/limits", receiver.process())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().nth(3), Some("768"), "{files}");
    receiver.stop();
    // The log neither says that only some connections are served, nor that all are taken.
    assert!(!receiver.log().contains("connections are"), "{}", receiver.log());
}

#[test]
#[cfg(target_os = "linux")]
fn a_connection_gives_way_when_no_more_files_may_be_open() {
    let receiver = patient();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.all_done();
    // The receiver keeps a few files for the database.
    let files = fs::read_dir(format!("/proc/{}/fd", receiver.process())).unwrap().count() as u64 + 6;
    let process = receiver.process().try_into().unwrap();
    rlimit::prlimit(process, rlimit::Resource::NOFILE, Some((files, files)), None).unwrap();
    let clients = idle(&receiver, 20);
    receiver.deliver_until_kept(fixtures::OFFLINE_FORM_SUBMIT);
    drop(clients);
    // A connection that waits is tried every 20 ms, but the log says so once for each connection at most.
    let waited = receiver.log().matches("no connection can be accepted").count();
    assert!((1..=30).contains(&waited), "{waited}");
}

#[test]
fn a_body_that_announces_too_much_is_refused_before_it_arrives() {
    let receiver = patient();
    let head = head(256 * 1024 + 1).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let answer = rest(receiver.begin(&head));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[test]
fn a_client_sees_the_answer_to_a_body_that_is_too_large() {
    // The receiver has enough time to read what the client still sends after the answer.
    let receiver = Receiver::start_with("grace=60000");
    let piece = vec![b' '; 1024 * 1024];
    let announced = head(8 * piece.len());
    let chunked = head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let unsigned = announced.replace(&"0".repeat(64), "none");
    for (head, status) in [(announced, 413), (chunked, 413), (unsigned, 403)] {
        let mut stream = receiver.begin(&head);
        for _ in 0..8 {
            if status == 413 && head.contains("chunked") {
                stream.write_all(b"100000\r\n").unwrap();
            }
            stream.write_all(&piece).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[test]
fn a_log_that_is_closed_holds_nothing_up() {
    let folder = folder();
    let (mut receiver, log) = Receiver::spawn_unread(&folder, command(&folder));
    drop(log);
    for body in [fixtures::UNREPLIED, fixtures::PRE_CHAT_FORM_SUBMIT] {
        assert_eq!(receiver.deliver(body), 200);
    }
    receiver.all_done();
    assert_eq!(receiver.stop().code(), Some(0));
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let folder = folder();
    let (mut receiver, log) = Receiver::spawn_unread(&folder, command(&folder));
    // A pipe holds about 600 lines, and the buffer of the receiver 4,096 more. So the log drops some of these 6,000
    // lines.
    let mut answers = BufReader::new(receiver.begin(""));
    for _ in 0..60 {
        let hundred = "GET /nowhere HTTP/1.1\r\nHost: example.com\r\n\r\n".repeat(100);
        answers.get_mut().write_all(hundred.as_bytes()).unwrap();
        for _ in 0..100 {
            let mut answer = String::new();
            while !answer.ends_with("\r\n\r\n") {
                assert!(answers.read_line(&mut answer).unwrap() > 0);
            }
            assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        }
    }
    // Work that panics again and again holds nothing up either.
    for visitor in 0..20 {
        assert_eq!(receiver.deliver(message(&format!("Visitor{visitor}"), "panic", 1).to_vec()), 200);
    }
    assert_eq!(receiver.deliver(fixtures::PRE_CHAT_FORM_SUBMIT), 200);
    receiver.row(21, "done");
    assert_eq!(receiver.stop().code(), Some(0));
    drop(log);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let receiver = Receiver::start();
    let mut stream = receiver.begin(&format!("GET /healthz HTTP/1.1\r\nHost: {}", "a".repeat(20 * 1024)));
    let mut answer = [0; 13];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431 ");
}
