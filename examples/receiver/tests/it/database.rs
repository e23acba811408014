//! The database is away, slow, full or killed, and its clock is set.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::support::{
    Answer, Link, Proxy, Receiver, Server, StubChannel, beginnings, command, commits_that_wait, count, create_database,
    eventually, execute, folder, forwarding, leave_out, lock, message, milliseconds, rows, server_port, simple_query,
    with_timings, worked_on,
};

/// A receiver whose link to PostgreSQL the test can cut.
fn behind_a_proxy(folder: &std::path::Path, timings: &str) -> (Receiver, Proxy) {
    let proxy = Proxy::to(server_port());
    let mut command = command(folder);
    let database = folder.file_name().unwrap().to_str().unwrap();
    command.env("INBOX", format!("postgres://receiver@127.0.0.1:{}/{database}", proxy.port));
    with_timings(&mut command, timings);
    (Receiver::spawn(folder, command), proxy)
}

fn body(number: usize) -> Vec<u8> {
    message(&format!("Visitor{number}"), "hello", 1).to_vec()
}

#[test]
fn while_the_database_is_away_the_platform_keeps_everything() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let (receiver, proxy) = behind_a_proxy(&folder, "statement=5000 look=100");
    let mut kept = 0;
    for (round, link) in [Link::Down, Link::Silent, Link::Down].into_iter().enumerate() {
        receiver.deliver_until_kept(body(round));
        kept += 1;
        proxy.set(link);
        assert_eq!(receiver.deliver(body(100 + round)), 503);
        assert_eq!(receiver.get("/healthz").0, 503);
        proxy.set(Link::Up);
        receiver.deliver_until_kept(body(100 + round));
        eventually("the receiver is healthy again", || receiver.get("/healthz").0 == 200);
        kept += 1;
    }
    receiver.all_done();
    assert_eq!(count(&folder, "true"), kept);
    assert!(!receiver.log().contains("Visitor"), "{}", receiver.log());
}

/// Runs on PostgreSQL only.
#[test]
#[cfg(target_os = "linux")]
fn connections_to_a_database_that_does_not_answer_are_closed() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let (receiver, proxy) = behind_a_proxy(&folder, "statement=5000 look=100");
    receiver.deliver_until_kept(body(0));
    receiver.all_done();
    proxy.set(Link::Silent);
    assert_eq!(receiver.deliver(body(1)), 503);
    // The receiver goes on to open connections, one at a time.
    let open = || receiver.connections().into_iter().filter(|(_, remote)| *remote == proxy.port).count();
    eventually("the others are closed", || open() <= 1);
}

#[test]
fn a_database_that_is_full_refuses_and_takes_again() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(body(1)), 200);
    execute(&receiver.folder, &refuse("true"));
    for _ in 0..3 {
        assert_eq!(receiver.deliver(body(2)), 503);
    }
    if POSTGRES {
        // Each delivery was tried once. No rollback sets a sequence back.
        assert_eq!(rows(&receiver.folder, "SELECT last_value FROM tries"), [["3"]]);
    }
    execute(&receiver.folder, drop_refuse());
    assert_eq!(receiver.deliver(body(2)), 200);
    receiver.all_done();
    assert_eq!(count(&receiver.folder, "true"), 2);
}

/// Runs on PostgreSQL only.
#[test]
fn a_delivery_whose_connection_is_closed_is_tried_again() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let (receiver, proxy) = behind_a_proxy(&folder, "");
    // From now on, a delivery finds an open connection.
    for number in 0..3 {
        assert_eq!(receiver.deliver(body(number)), 200);
    }
    receiver.all_done();
    // The connection breaks, or PostgreSQL ends the session and says so.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '%WITH arrived%' AND pid <> pg_backend_pid()";
    let close: [&(dyn Fn() + Sync); 2] = [&|| proxy.cut(), &|| execute(&folder, end)];
    for (number, close) in (3..).zip(close) {
        let locked = lock(&folder);
        thread::scope(|scope| {
            let delivery = scope.spawn(|| receiver.deliver(body(number)));
            eventually("the delivery waits", || commits_that_wait(&folder) == 1);
            close();
            drop(locked);
            assert_eq!(delivery.join().unwrap(), 200);
        });
    }
    assert_eq!(count(&folder, "true"), 5);
}

#[test]
fn an_attempt_goes_on_while_the_database_refuses_to_note_it() {
    let receiver = Receiver::start_with("look=100");
    assert_eq!(receiver.deliver(message("Visitor1", "wait for the file", 1).to_vec()), 200);
    eventually("it is in work", || receiver.worked_on().len() == 1);
    execute(&receiver.folder, "ALTER TABLE item RENAME TO away");
    receiver.logs("the inbox cannot be written");
    fs::write(receiver.folder.join("go on"), "").unwrap();
    eventually("the work has ended", || receiver.worked_on().len() == 2);
    execute(&receiver.folder, "ALTER TABLE away RENAME TO item");
    receiver.all_done();
    assert_eq!(beginnings(&receiver.folder), [(1, 1)].into());
    assert!(!receiver.log().contains("all work is stopped"), "{}", receiver.log());
}

#[test]
fn a_receiver_whose_tables_are_gone_is_not_healthy() {
    let receiver = Receiver::start();
    assert_eq!(receiver.get("/healthz").0, 200);
    for table in ["record", "item", "version"] {
        execute(&receiver.folder, &format!("ALTER TABLE {table} RENAME TO gone"));
        assert_eq!(receiver.get("/healthz").0, 503, "{table}");
        execute(&receiver.folder, &format!("ALTER TABLE gone RENAME TO {table}"));
        eventually("the receiver is healthy again", || receiver.get("/healthz").0 == 200);
    }
}

#[test]
fn a_delivery_that_the_database_refuses_does_not_take_others_with_it() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(body(0)), 200);
    execute(&receiver.folder, &refuse("NEW.key LIKE '%Poison%'"));
    thread::scope(|scope| {
        for number in 0..40 {
            let receiver = &receiver;
            scope.spawn(move || {
                let poison = message(&format!("Poison{number}"), "hello", 1).to_vec();
                assert_eq!(receiver.deliver(poison), 503);
            });
            scope.spawn(move || assert_eq!(receiver.deliver(body(number)), 200));
        }
    });
    assert_eq!(count(&receiver.folder, "true"), 40);
}

/// A trigger that refuses new records for which a condition holds, as a full disk would.
fn refuse(condition: &str) -> String {
    if POSTGRES {
        format!(
            "CREATE SEQUENCE tries;
            CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    PERFORM nextval('twt_chat.tries');
                    RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';
                END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON record FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION full()"
        )
    } else {
        format!(
            "CREATE TRIGGER full_disk BEFORE INSERT ON record WHEN {condition}
            BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    }
}

fn drop_refuse() -> &'static str {
    if POSTGRES {
        "DROP TRIGGER full_disk ON record; DROP FUNCTION full; DROP SEQUENCE tries"
    } else {
        "DROP TRIGGER full_disk"
    }
}

#[test]
fn a_restart_of_the_database_loses_nothing_and_repeats_only_what_was_in_work() {
    if !POSTGRES {
        return;
    }
    let mut server = Server::start("-c fsync=off").unwrap_or_else(|| leave_out());
    create_database(&server, "inbox");
    let url = server.url("inbox");
    let folder = folder();
    let mut command = command(&folder);
    command.env("INBOX", &url);
    with_timings(&mut command, "look=100");
    let receiver = Receiver::spawn(&folder, command);
    for number in 0..50 {
        assert_eq!(receiver.deliver(body(number)), 200);
    }
    let waiting = "SELECT count(*) FROM item WHERE state <> 'done'";
    eventually("all is done", || simple_query(&url, waiting) == [["0"]]);
    assert_eq!(receiver.deliver(message("Visitor50", "slow", 1).to_vec()), 200);
    eventually("it is in work", || worked_on(&folder).iter().any(|line| line.contains("Visitor50")));
    server.stop();
    assert_eq!(receiver.deliver(body(51)), 503);
    receiver.logs("the work waits for the inbox: ");
    server.go_on();
    eventually("a delivery is kept again", || receiver.deliver(body(51)) == 200);
    eventually("all is done", || simple_query(&url, waiting) == [["0"]]);
    let again: Vec<_> = beginnings(&folder).into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(again.len() <= 4, "worked on again: {again:?}");
    assert_eq!(beginnings(&folder).len(), 52);
    receiver.logs("the inbox is back, and the work goes on");
    assert_eq!(receiver.log().matches("the work waits for the inbox: ").count(), 1, "{}", receiver.log());
}

#[test]
fn what_was_answered_200_is_on_the_disk() {
    if POSTGRES {
        // This server writes a commit to the disk up to 10 seconds later, unless the client asks for more. A receiver
        // that does not ask would lose deliveries that it has answered 200.
        let options = "-c synchronous_commit=off -c wal_writer_delay=10s -c fsync=off";
        let mut server = Server::start(options).unwrap_or_else(|| leave_out());
        create_database(&server, "inbox");
        let url = server.url("inbox");
        let folder = folder();
        let mut command = command(&folder);
        command.env("INBOX", &url);
        let receiver = Receiver::spawn(&folder, command);
        for number in 0..4 {
            assert_eq!(receiver.deliver(body(number)), 200);
            server.kill();
            server.go_on();
            let kept = simple_query(&server.url("inbox"), "SELECT count(*) FROM record");
            assert_eq!(kept, [[(number + 1).to_string()]], "lost after the answer 200");
            eventually("the receiver is back", || receiver.get("/healthz").0 == 200);
        }
        return;
    }
    let folder = folder();
    let (library, syncs) = (folder.join("syncs.so"), folder.join("syncs"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/syncs.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status().unwrap();
    assert!(compiled.success());
    let mut command = command(&folder);
    command.env("LD_PRELOAD", &library).env("SYNCS", &syncs);
    let mut receiver = Receiver::spawn(&folder, command);
    let count = || fs::metadata(&syncs).map_or(0, |file| file.len());
    for number in 0..10 {
        // A dead letter has no work, so no other write of the receiver is counted.
        let dead = format!("not JSON {number}");
        let before = count();
        assert_eq!(receiver.deliver(dead), 200);
        assert!(count() > before, "answered 200 before the disk had it");
    }
    receiver.stop();
}

/// Acts as if the clock of the database was set: moves the times at which rows and channels are due the other way,
/// which has the same effect on the work and the messages.
fn set_clock(folder: &std::path::Path, by: Duration, back: bool) {
    let by = milliseconds(i64::try_from(by.as_millis()).unwrap());
    let sign = if back { '+' } else { '-' };
    execute(folder, &format!("UPDATE item SET due_at = due_at {sign} {by}"));
    execute(folder, &format!("UPDATE channel SET next_at = next_at {sign} {by}"));
}

#[test]
fn a_clock_that_is_set_loses_nothing_and_delays_nothing() {
    let channels = [StubChannel::start("slack", &[Answer::Text("500 Error", ""), Answer::Taken])];
    let folder = folder();
    let repaired = folder.join("repaired");
    let mut command = forwarding(&folder, &channels);
    // On a busy machine, more than one attempt can fail before the test looks.
    with_timings(&mut command, &format!("look=100 work_pauses={}", ["1000"; 100].join(",")));
    let receiver = Receiver::spawn(&folder, command);
    let deliver = |numbers: std::ops::Range<usize>| {
        thread::scope(|scope| {
            for number in numbers {
                let receiver = &receiver;
                scope.spawn(move || assert_eq!(receiver.deliver(body(number)), 200));
            }
        });
    };
    // This item fails, and waits for a pause of one second.
    let failing = message("Visitor999", repaired.to_str().unwrap(), 1);
    assert_eq!(receiver.deliver(failing.to_vec()), 200);
    eventually("it has failed", || count(&folder, "attempts > 0 AND problem IS NOT NULL AND channel = ''") == 1);
    fs::write(&repaired, "").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| deliver(0..100));
        set_clock(&folder, Duration::from_secs(3_600), true);
    });
    eventually("the work is done", || count(&folder, "channel = '' AND state <> 'done'") == 0);
    thread::scope(|scope| {
        scope.spawn(|| deliver(100..200));
        set_clock(&folder, Duration::from_secs(86_400), false);
    });
    eventually("the work is done", || count(&folder, "channel = '' AND state <> 'done'") == 0);
    let before = channels[0].requests().len();
    eventually("the channel gets messages", || channels[0].requests().len() > before);
    set_clock(&folder, Duration::from_secs(3_600), true);
    let before = channels[0].requests().len();
    eventually("the channel gets messages", || channels[0].requests().len() > before);
    assert_eq!(count(&folder, "channel = ''"), 201);
    let twice: Vec<_> = beginnings(&folder).into_iter().filter(|(id, times)| *times > 1 && *id != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn tls_is_used_where_the_url_asks_for_it() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=example.com -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -out server.pem -days 2 -extfile names -CAcreateserial");
    let mut server = Server::start("-c fsync=off").unwrap_or_else(|| leave_out());
    server.use_tls(&folder.join("server.pem"), &folder.join("server.key"));
    create_database(&server, "inbox");
    let url = |host: &str, mode: &str| format!("postgres://receiver@{host}:{}/inbox{mode}", server.port);
    let start = |url: &str, trusted: bool| {
        let mut command = command(&folder);
        command.env("INBOX", url);
        if trusted {
            command.env("SSL_CERT_FILE", folder.join("ca.pem"));
        }
        command
    };
    for mode in ["?sslmode=require", "?sslmode=verify-full"] {
        let receiver = Receiver::spawn(&folder, start(&url("localhost", mode), true));
        assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
        let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE application_name = 'twt-chat receiver' AND NOT ssl";
        assert_eq!(simple_query(&server.url("inbox"), plain), [["0"]]);
    }
    // A name that is not in the certificate, and a certificate that this machine does not trust.
    for (host, trusted) in [("127.0.0.1", true), ("localhost", false)] {
        let output = start(&url(host, "?sslmode=require"), trusted).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{host}");
    }
    // Without `sslmode`, the receiver does not use TLS, so the certificate does not matter.
    let receiver = Receiver::spawn(&folder, start(&url("127.0.0.1", ""), false));
    assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
}
