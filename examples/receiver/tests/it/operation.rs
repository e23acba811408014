//! The command line.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Output, Stdio};

use serde_json::json;
use twt_chat_webhooks::fixtures;

use crate::support::{Receiver, command, database, folder, message, run};

fn error(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn a_wrong_secret_is_found_at_the_start() {
    for (secret, old, expected) in [
        (None, None, "TWT_APP_SECRET is not set: start with TWT_APP_SECRET="),
        (Some(""), None, "TWT_APP_SECRET is not set: start with TWT_APP_SECRET="),
        (Some(" "), None, "TWT_APP_SECRET: the secret is empty"),
        (Some("new\n"), None, "TWT_APP_SECRET: the secret starts or ends with white space"),
        (Some("new"), Some(" old"), "TWT_APP_SECRET_OLD: the secret starts or ends with white space"),
    ] {
        let mut command = command(&folder());
        command.env_remove("TWT_APP_SECRET").envs(secret.map(|secret| ("TWT_APP_SECRET", secret)));
        let (code, problem) = error(&command.envs(old.map(|old| ("TWT_APP_SECRET_OLD", old))).output().unwrap());
        assert_eq!(code, Some(2));
        assert!(problem.starts_with(&format!("receiver: {expected}")) && problem.lines().count() == 1, "{problem}");
    }
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
    for inbox in [folder.join("missing").join("inbox"), folder.clone(), text] {
        for arguments in [&["--workers", "1"][..], &["list"]] {
            let (code, problem) = error(&command(&folder).env("INBOX", &inbox).args(arguments).output().unwrap());
            assert_eq!(code, Some(1));
            let expected = format!("receiver: cannot open the inbox {}: ", inbox.display());
            assert!(problem.starts_with(&expected), "{problem}");
        }
    }
    // To list an inbox does not make one.
    assert_eq!(run(&folder, &["list"]).status.code(), Some(1));
    assert!(!folder.join("inbox.sqlite3").exists());
}

#[test]
fn an_inbox_of_a_newer_version_is_left_alone() {
    let folder = folder();
    database(&folder).pragma_update(None, "user_version", 2).unwrap();
    for arguments in [&["--workers", "1"][..], &["list"]] {
        let (code, problem) = error(&run(&folder, arguments));
        assert_eq!(code, Some(1));
        assert!(problem.ends_with(": it belongs to a newer version of the receiver\n"), "{problem}");
    }
}

#[test]
fn an_inbox_without_channels_is_upgraded_and_keeps_its_rows() {
    let mut receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    assert_eq!(receiver.deliver("not JSON"), 200);
    receiver.row(1, "done");
    let before = receiver.list();
    receiver.stop();
    // The tables of the first version, with the same rows.
    let database = database(&receiver.folder);
    database
        .execute_batch(
            "DROP TABLE pause; DROP INDEX item_key; DROP INDEX item_due; DROP TRIGGER delivery_without_items;
            ALTER TABLE item DROP COLUMN channel; PRAGMA user_version = 0;
            CREATE UNIQUE INDEX old_key ON item (key);
            CREATE INDEX item_due ON item (due_at) WHERE state = 'waiting' AND in_work = 0;
            CREATE TRIGGER delivery_without_items AFTER DELETE ON item BEGIN DELETE FROM delivery; END;",
        )
        .unwrap();
    drop(database);

    assert_eq!(run(&receiver.folder, &["show", "2"]).stdout, b"not JSON");
    let receiver = Receiver::start_in(&receiver.folder);
    assert_eq!(receiver.list(), before);
    // The second delivery is new, the first one is not.
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
    receiver.row(3, "done");
    assert_eq!(receiver.list().len(), 3);
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
        "problem": null,
    });
    assert_eq!(row, expected);
    assert_eq!(run(&receiver.folder, &["show", "1"]).stdout, fixtures::UNREPLIED.as_bytes());
    let listed = String::from_utf8(run(&receiver.folder, &["list"]).stdout).unwrap();
    assert_eq!(listed, format!("     1 {received_at} done     1 -        UNREPLIED\n"));
}

#[test]
fn a_row_that_is_not_there_is_an_error() {
    let receiver = Receiver::start();
    for arguments in [["show", "7"], ["retry", "7"]] {
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
    let more = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
        INSERT INTO item (delivery, key, state, due_at) SELECT 1, n, 'done', 0 FROM number";
    database(&receiver.folder).execute(more, []).unwrap();
    let mut list = command(&receiver.folder);
    let mut list = list.arg("list").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 10];
    list.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = list.wait_with_output().unwrap();
    assert_eq!(error(&output), (Some(0), String::new()));
    assert_eq!(receiver.list().len(), 5001);
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
    let database = database(&receiver.folder);
    let week = "UPDATE delivery SET received_at = received_at - 7 * 86400 WHERE id <> 1";
    database.execute(week, []).unwrap();
    assert_eq!(run(&receiver.folder, &["prune", "--older-than", "8"]).stdout, b"rows deleted: 0\n");
    assert_eq!(run(&receiver.folder, &["prune", "--older-than", "6"]).stdout, b"rows deleted: 1\n");
    let left: Vec<_> = receiver.list().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!(left, [1, 3, 4]);
    let bodies: i64 = database.query_row("SELECT count(*) FROM delivery", [], |row| row.get(0)).unwrap();
    assert_eq!(bodies, 3);
}
