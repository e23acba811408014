//! The command line.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use receiver::Timings;
use serde_json::json;
use tokio::net::TcpSocket;
use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::support::{
    Receiver, command, connect, count_in, eventually, execute, folder, inbox, lock, message, rows, run, runtime,
    sqlite, statements_that_wait, with_timings,
};

pub fn error(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, problem) = error(&command(&folder()).env("ADDR", &address).output().unwrap());
    assert_eq!(code, Some(1));
    assert!(problem.starts_with(&format!("receiver: cannot listen on {address}: ")), "{problem}");
}

#[test]
fn an_inbox_that_cannot_be_opened_is_named() {
    let folder = folder();
    let text = folder.join("text");
    fs::write(&text, "not a database, however long this text may become".repeat(20)).unwrap();
    let path = |path: std::path::PathBuf| path.into_os_string().into_string().unwrap();
    let files = [path(folder.join("missing").join("inbox")), path(folder.clone()), path(text)];
    // As long as the socket lives, no other test gets its port, and nobody listens on it.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = silent.local_addr().unwrap();
    let url = format!("postgres://ada:T0KEN@{nobody}/inbox");
    let servers = ["", "?sslmode=require"].map(|mode| (format!("{url}{mode}"), format!("postgres://{nobody}/inbox")));
    for (inbox, name) in files.into_iter().map(|file| (file.clone(), file)).chain(servers) {
        for arguments in [&["--workers", "1"][..], &["list"]] {
            let (code, problem) = error(&command(&folder).env("INBOX", &inbox).args(arguments).output().unwrap());
            assert_eq!(code, Some(1));
            let shows_cause = inbox != url || problem.contains("Connection refused");
            assert!(problem.starts_with(&format!("receiver: cannot open the inbox {name}: ")), "{problem}");
            assert!(shows_cause, "{problem}");
            assert!(!problem.contains("T0KEN"), "{problem}");
        }
    }
    let missing = folder.join("missing").join("inbox");
    let (_, problem) = error(&command(&folder).env("INBOX", missing).output().unwrap());
    assert!(problem.contains("No such file or directory"), "{problem}");
    // The command `list` does not create an inbox.
    assert_eq!(run(&folder, &["list"]).status.code(), Some(1));
    assert!(!folder.join("inbox.sqlite3").exists());
    if POSTGRES {
        assert_eq!(rows(&folder, "SELECT count(*) FROM pg_namespace WHERE nspname = 'twt_chat'"), [["0"]]);
    }
}

#[test]
fn both_databases_have_the_same_tests() {
    let modules = |file: &str| file.lines().filter(|line| line.starts_with("mod ")).collect::<String>();
    assert_eq!(modules(include_str!("sqlite.rs")), modules(include_str!("postgres.rs")));
}

#[test]
fn the_real_times_are_those_of_the_readme() {
    let Timings { read, write, age, grace, answer, work, look, work_pauses, channel_pauses, .. } = Timings::default();
    let Timings { busy, silence, statement, idle, .. } = Timings::default();
    let seconds = |pauses: Vec<Duration>| pauses.iter().map(Duration::as_secs).collect::<Vec<_>>();
    assert_eq!([read, write, age, grace, answer, work].map(|time| time.as_secs()), [10, 3, 60, 5, 10, 60]);
    assert_eq!(seconds(work_pauses), [1, 2, 4, 8]);
    assert_eq!(seconds(channel_pauses), [1, 2, 4, 8, 15, 30, 60, 120, 240, 420]);
    // The platform waits for 5 s. The receiver notices earlier that a database is busy or does not answer.
    assert!(write < Duration::from_secs(5) && busy < write && statement < write);
    // A receiver that is cut off stops its work before other receivers take its rows. They take the rows within 10 s.
    assert!(statement + look < idle && idle + 3 * look < Duration::from_secs(10));
    assert!(4 * look < silence && silence + 3 * look < Duration::from_secs(10));
}

#[test]
fn the_version_is_that_of_the_crate() {
    let manifest = include_str!("../../../../Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    let shown = run(&folder(), &["--version"]);
    assert!(shown.status.success());
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), format!("receiver {version}\n"));
    // The receiver around the team's own work, which the other tests do not run.
    let shown = Command::new(env!("CARGO_BIN_EXE_receiver")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), format!("receiver {version}\n"));
}

#[test]
fn the_help_does_not_show_the_inbox() {
    let mut command = command(&folder());
    let help = command.env("INBOX", "postgres://ada:T0KEN@db.example.com/inbox").arg("--help").output().unwrap();
    assert!(help.status.success() && !String::from_utf8(help.stdout).unwrap().contains("T0KEN"));
}

#[test]
fn an_inbox_of_a_newer_version_is_left_alone() {
    let mut receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.row(1, "done");
    // The tables have a newer version, but `oldest` still allows this receiver to use them. So the receiver goes on.
    execute(&receiver.folder, "UPDATE version SET version = 3");
    assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
    receiver.row(2, "done");
    assert_eq!(receiver.list().len(), 2);
    // A receiver that is too old for the tables ends, and cannot be started again.
    execute(&receiver.folder, "UPDATE version SET oldest = 3");
    assert_eq!(receiver.wait().code(), Some(1));
    let expected = ": it belongs to a newer version of the receiver\n";
    eventually("the log says why", || receiver.log().ends_with(expected));
    for arguments in [&["--workers", "1"][..], &["list"]] {
        let (code, problem) = error(&run(&receiver.folder, arguments));
        assert_eq!(code, Some(1));
        assert!(problem.ends_with(expected), "{problem}");
    }
    assert_eq!(count_in(&receiver.folder, "item", "state = 'done'"), 2);
}

#[test]
fn several_receivers_can_start_at_once_on_a_new_inbox() {
    let folder = folder();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..5).map(|_| scope.spawn(|| Receiver::start_in(&folder))).collect();
        let receivers: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
        for (receiver, number) in receivers.iter().zip(0..) {
            assert_eq!(receiver.deliver(message(&format!("Visitor{number}"), "hello", 1).to_vec()), 200);
        }
        receivers[0].all_done();
    });
    assert_eq!(count_in(&folder, "item", "state = 'done'"), 5);
}

/// Checks that a start waits for a process that holds the write lock of SQLite for this time.
fn start_waits(begin: &str, time: Duration) {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let writer = sqlite(&folder);
    writer.execute_batch(begin).unwrap();
    std::thread::scope(|scope| {
        let start = scope.spawn(|| Receiver::start_in(&folder));
        std::thread::sleep(time);
        drop(writer);
        assert_eq!(start.join().unwrap().deliver(fixtures::UNREPLIED), 200);
    });
}

/// SQLite would not wait by itself.
#[test]
fn a_start_waits_for_a_process_that_writes_to_a_new_inbox() {
    // Meanwhile, the receiver tries for the first time.
    start_waits("BEGIN IMMEDIATE", Duration::from_millis(500));
}

/// By itself, `rusqlite` would wait for 5 seconds.
#[test]
fn a_start_waits_for_a_receiver_that_upgrades_the_tables() {
    start_waits("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", Duration::from_secs(6));
}

/// Runs on PostgreSQL only.
#[test]
fn a_start_waits_for_a_receiver_that_makes_the_tables() {
    if !POSTGRES {
        return;
    }
    let folder = folder();
    let client = runtime().block_on(connect(&inbox(&folder)));
    // The first number is `CLASS` in `store/postgres/connection.rs`.
    runtime().block_on(client.batch_execute("SELECT pg_advisory_lock(544662017, 0)")).unwrap();
    let mut command = command(&folder);
    with_timings(&mut command, "statement=5000");
    let receiver = std::thread::scope(|scope| {
        let start = scope.spawn(|| Receiver::spawn(&folder, command));
        eventually("the start waits", || statements_that_wait(&folder, "") == 1);
        // This is longer than another statement may take.
        std::thread::sleep(Duration::from_secs(6));
        runtime().block_on(client.batch_execute("SELECT pg_advisory_unlock(544662017, 0)")).unwrap();
        start.join().unwrap()
    });
    receiver.deliver_until_kept(fixtures::UNREPLIED);
}

/// Replaces the tables by those of the receivers up to 0.2.
const OLD_TABLES: &str = "
    DROP TABLE item; DROP TABLE record; DROP TABLE channel; DROP TABLE receiver; DROP TABLE version;
    CREATE TABLE delivery (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
    CREATE TABLE item (
        id INTEGER PRIMARY KEY AUTOINCREMENT, delivery INTEGER NOT NULL REFERENCES delivery (id), position INTEGER,
        key TEXT NOT NULL, channel TEXT, event TEXT, state TEXT NOT NULL, in_work INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, problem TEXT
    ) STRICT;
    CREATE INDEX item_delivery ON item (delivery);
    CREATE UNIQUE INDEX item_key ON item (key, ifnull(channel, ''));
    CREATE INDEX item_due ON item (channel, due_at) WHERE state = 'waiting' AND in_work = 0;
    CREATE INDEX item_in_work ON item (id) WHERE in_work = 1;
    CREATE TRIGGER delivery_without_items AFTER DELETE ON item
    WHEN NOT EXISTS (SELECT 1 FROM item WHERE delivery = OLD.delivery)
    BEGIN DELETE FROM delivery WHERE id = OLD.delivery; END;
    CREATE TABLE pause (channel TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
    PRAGMA user_version = 1;";
/// Changes the old tables to those of the first version, which had no channels.
const OLDEST_TABLES: &str = "
    DROP TABLE pause; DROP INDEX item_key; DROP INDEX item_due; ALTER TABLE item DROP COLUMN channel;
    CREATE UNIQUE INDEX old_key ON item (key);
    CREATE INDEX item_due ON item (due_at) WHERE state = 'waiting' AND in_work = 0;
    PRAGMA user_version = 0;";

#[test]
fn an_inbox_of_an_older_version_is_upgraded_and_keeps_its_rows() {
    // PostgreSQL has no older version to upgrade.
    if POSTGRES {
        return;
    }
    for oldest in [false, true] {
        let folder = folder();
        Receiver::start_in(&folder).stop();
        let database = sqlite(&folder);
        database.execute_batch(OLD_TABLES).unwrap();
        let batch = message("Visitor15", "hello", 1).to_vec();
        let mut two: serde_json::Value = serde_json::from_slice(&batch).unwrap();
        two["content"].as_array_mut().unwrap().push("not an item".into());
        let two = two.to_string();
        let delivery = "INSERT INTO delivery VALUES
            (1, 1700000000, ?1), (2, 1700000000, CAST('not JSON' AS BLOB)), (3, 1700000000, ?2)";
        database.execute(delivery, (fixtures::UNREPLIED.as_bytes(), two.as_bytes())).unwrap();
        let items = "INSERT INTO item
            (id, delivery, position, key, event, state, in_work, attempts, due_at, problem) VALUES
            (1, 1, 0, 'old key 1', 'UNREPLIED', 'done', 0, 1, 0, NULL),
            (2, 2, NULL, 'old key 2', NULL, 'dead', 0, 0, 0, 'a problem'),
            (3, 3, 0, 'old key 3', 'UNREPLIED', 'waiting', 1, 1, 0, NULL),
            (4, 3, 1, 'old key 4', 'UNREPLIED', 'dead', 0, 0, 0, 'another problem')";
        database.execute(items, []).unwrap();
        if oldest {
            database.execute_batch(OLDEST_TABLES).unwrap();
        } else {
            let slack = "INSERT INTO item (id, delivery, position, key, channel, event, state, due_at)
                VALUES (5, 1, 0, 'old key 1', 'slack', 'UNREPLIED', 'waiting', 4102444800000)";
            database.execute(slack, []).unwrap();
        }
        drop(database);

        assert_eq!(run(&folder, &["show", "2"]).stdout, b"not JSON");
        let receiver = Receiver::start_in(&folder);
        let rows = receiver.list();
        let states: Vec<_> = rows.iter().map(|row| (row["id"].as_i64().unwrap(), row["problem"].as_str())).collect();
        let mut expected = vec![(1, None), (2, Some("a problem")), (3, None), (4, Some("another problem"))];
        if !oldest {
            expected.push((5, None));
            assert_eq!(rows[4]["channel"], "slack");
            assert_eq!(rows[4]["waits_until"], "2100-01-01T00:00:00Z");
        }
        assert_eq!(states, expected);
        assert!(rows.iter().all(|row| row["received_at"] == "2023-11-14T22:13:20Z"), "{rows:?}");
        assert_eq!(rows[0]["attempts"], 1);
        // The row that was in work is worked on again, with the item that it had in the old tables.
        receiver.row(3, "done");
        assert_eq!(receiver.worked_on()[0], "begin 3 UNREPLIED Visitor15");
        // The old deliveries are known. A new delivery adds a row.
        for body in [fixtures::UNREPLIED.as_bytes(), b"not JSON", two.as_bytes()] {
            assert_eq!(receiver.deliver(body), 200);
        }
        assert_eq!(receiver.list().len(), expected.len());
        assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
        assert_eq!(receiver.list().len(), expected.len() + 1);
    }
}

#[test]
fn a_row_is_listed_and_its_body_is_shown() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    let row = receiver.row(1, "done");
    let received_at = row["received_at"].as_str().unwrap();
    assert!(received_at.len() == 20 && received_at.ends_with('Z'), "{received_at}");
    let expected = json!({
        "id": 1, "event": "UNREPLIED", "channel": null, "state": "done", "received_at": received_at, "attempts": 1,
        "problem": null, "waits_until": null, "waits_for": null,
    });
    assert_eq!(row, expected);
    assert_eq!(run(&receiver.folder, &["show", "1"]).stdout, fixtures::UNREPLIED.as_bytes());
    let listed = String::from_utf8(run(&receiver.folder, &["list"]).stdout).unwrap();
    assert_eq!(listed, format!("     1 {received_at} done     1 -        UNREPLIED\n"));
}

#[test]
fn a_row_that_is_not_there_is_an_error() {
    let receiver = Receiver::start();
    for arguments in [["show", "7"], ["retry", "7"], ["delete", "7"]] {
        let (code, problem) = error(&run(&receiver.folder, &arguments));
        assert_eq!(code, Some(1));
        assert!(problem.starts_with("receiver: there is no row 7"), "{problem}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    // More rows than a pipe holds.
    let record = &rows(&receiver.folder, "SELECT record, due_at FROM item")[0];
    let more = format!(
        "INSERT INTO item (record, state, due_at)
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
        SELECT {}, 'done', '{}' FROM number",
        record[0], record[1]
    );
    execute(&receiver.folder, &more);
    let mut list = command(&receiver.folder);
    let mut list = list.arg("list").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 10];
    list.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = list.wait_with_output().unwrap();
    assert_eq!(error(&output), (Some(0), String::new()));
    assert_eq!(receiver.list().len(), 5001);
}

#[test]
fn a_command_waits_longer_for_the_database_than_a_receiver() {
    let receiver = Receiver::start();
    let locked = lock(&receiver.folder);
    let mut prune = command(&receiver.folder);
    with_timings(&mut prune, "busy=500 statement=500 look=3000");
    let prune = prune.args(["prune", "--older-than", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let prune = prune.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    drop(locked);
    let output = prune.wait_with_output().unwrap();
    assert_eq!((error(&output), output.stdout.as_slice()), ((Some(0), String::new()), &b"rows deleted: 0\n"[..]));
}

#[test]
fn what_is_done_can_be_pruned() {
    let receiver = Receiver::start();
    for (visitor, text) in [("Visitor1", "hello"), ("Visitor2", "hello"), ("Visitor3", "never end")] {
        assert_eq!(receiver.deliver(message(visitor, text, 1).to_vec()), 200);
    }
    assert_eq!(receiver.deliver("not JSON"), 200);
    receiver.row(1, "done");
    receiver.row(2, "done");
    let week = if POSTGRES { "interval '7 days'" } else { "7 * 86400" };
    let others = "WHERE id NOT IN (SELECT record FROM item WHERE item.id = 1)";
    execute(&receiver.folder, &format!("UPDATE record SET received_at = received_at - {week} {others}"));
    assert_eq!(run(&receiver.folder, &["prune", "--older-than", "8"]).stdout, b"rows deleted: 0\n");
    assert_eq!(run(&receiver.folder, &["prune", "--older-than", "6"]).stdout, b"rows deleted: 1\n");
    let left: Vec<_> = receiver.list().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!(left, [1, 3, 4]);
    assert_eq!(count_in(&receiver.folder, "record", "true"), 3);
}

#[test]
fn the_help_names_the_variables_of_each_channel() {
    let help = String::from_utf8(run(&folder(), &["--help"]).stdout).unwrap();
    for name in ["SLACK", "FEISHU", "DINGTALK", "WECOM"] {
        assert!(help.contains(&format!("{name}_WEBHOOK_URL")), "{help}");
        let has_secret = ["FEISHU", "DINGTALK"].contains(&name);
        assert_eq!(help.contains(&format!("{name}_SECRET")), has_secret, "{help}");
    }
}
