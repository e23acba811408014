//! `/healthz` answers 200 when a delivery would be kept. If a file of the inbox was replaced, no delivery is kept.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::support::{
    Receiver, command, count_in, eventually, execute, folder, message, rows, run, sqlite, with_timings,
};

fn body(number: usize) -> Vec<u8> {
    message(&format!("Visitor{number}"), "hello", 1).to_vec()
}

/// Checks the answers to a delivery and to a health check.
#[track_caller]
fn answers(receiver: &Receiver, number: usize, expected: u16) {
    assert_eq!(receiver.deliver(body(number)), expected);
    assert_eq!(receiver.get("/healthz").0, expected);
}

#[test]
fn an_index_that_cannot_be_written_is_not_healthy() {
    let receiver = Receiver::start();
    answers(&receiver, 1, 200);
    receiver.all_done();
    // This index refuses each new row. It does not cover the row that is there already.
    let value = if POSTGRES { "(1 / (id - id))" } else { "json('no JSON ' || id)" };
    for table in ["record", "item"] {
        execute(&receiver.folder, &format!("CREATE INDEX damaged ON {table} ({value}) WHERE id > 1"));
        answers(&receiver, 2, 503);
        execute(&receiver.folder, "DROP INDEX damaged");
        assert_eq!(receiver.get("/healthz").0, 200);
    }
    if POSTGRES {
        execute(&receiver.folder, "ALTER SEQUENCE record_id RENAME TO gone");
        answers(&receiver, 2, 503);
        execute(&receiver.folder, "ALTER SEQUENCE gone RENAME TO record_id");
    }
    answers(&receiver, 2, 200);
}

#[test]
fn a_health_check_leaves_nothing_behind() {
    let receiver = Receiver::start();
    let written = || POSTGRES.then(|| rows(&receiver.folder, "SELECT probed_at FROM version"));
    let before = written();
    for _ in 0..5 {
        assert_eq!(receiver.get("/healthz").0, 200);
    }
    // Each check writes something, because only a write shows that the disk is full. Another test fills the disk of
    // SQLite.
    assert!(!POSTGRES || written() != before);
    assert_eq!(count_in(&receiver.folder, "record", "true") + count_in(&receiver.folder, "item", "true"), 0);
    answers(&receiver, 1, 200);
    receiver.all_done();
    assert_eq!(receiver.list().len(), 1);
}

#[test]
fn a_damaged_page_of_an_index_is_not_healthy() {
    if POSTGRES {
        return;
    }
    let mut receiver = Receiver::start();
    answers(&receiver, 1, 200);
    receiver.all_done();
    receiver.stop();
    let page = "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) FROM sqlite_schema
        WHERE type = 'index' AND tbl_name = 'record'";
    let offset = rows(&receiver.folder, page)[0][0].parse().unwrap();
    let file = OpenOptions::new().write(true).open(receiver.folder.join("inbox.sqlite3")).unwrap();
    file.write_all_at(&[0xAB; 4096], offset).unwrap();
    answers(&Receiver::start_in(&receiver.folder), 2, 503);
}

#[test]
fn a_full_disk_is_not_healthy() {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let (library, full) = (folder.join("full.so"), folder.join("full"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/full.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status().unwrap();
    assert!(compiled.success());
    let mut command = command(&folder);
    command.env("LD_PRELOAD", &library).env("FULL", &full);
    let receiver = Receiver::spawn(&folder, command);
    answers(&receiver, 1, 200);
    fs::write(&full, "").unwrap();
    answers(&receiver, 2, 503);
    fs::remove_file(&full).unwrap();
    answers(&receiver, 2, 200);
}

/// The file of the inbox and the two files that SQLite keeps beside it.
fn files(receiver: &Receiver) -> [PathBuf; 3] {
    ["inbox.sqlite3", "inbox.sqlite3-wal", "inbox.sqlite3-shm"].map(|name| receiver.folder.join(name))
}

#[test]
fn files_that_are_deleted_or_replaced_keep_no_delivery() {
    if POSTGRES {
        return;
    }
    let receiver = Receiver::start();
    answers(&receiver, 0, 200);
    for (number, file) in (1..).zip(files(&receiver)) {
        let (aside, other) = (receiver.folder.join("aside"), receiver.folder.join("other"));
        fs::rename(&file, &aside).unwrap();
        answers(&receiver, number, 503);
        let name = file.file_name().unwrap().to_str().unwrap();
        receiver.logs(&format!("/{name} was deleted or replaced while it was open"));
        fs::copy(&aside, &other).unwrap();
        fs::rename(&other, &file).unwrap();
        answers(&receiver, number, 503);
        // Once the file is back, deliveries are kept again.
        fs::rename(&aside, &file).unwrap();
        answers(&receiver, number, 200);
    }
    receiver.all_done();
    assert_eq!(receiver.list().len(), 4);
}

#[test]
fn a_receiver_whose_files_are_gone_leaves_those_of_another_alone() {
    if POSTGRES {
        return;
    }
    let mut first = Receiver::start();
    answers(&first, 1, 200);
    first.all_done();
    for (number, file) in files(&first).iter().enumerate() {
        fs::rename(file, first.folder.join(format!("aside{number}"))).unwrap();
    }
    let second = Receiver::start_in(&first.folder);
    answers(&second, 2, 200);
    answers(&first, 3, 503);
    first.stop();
    answers(&second, 3, 200);
    second.all_done();
    assert_eq!(second.list().len(), 2);
}

#[test]
fn a_symbolic_link_that_leads_elsewhere_keeps_no_delivery() {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let link = |target: &str| {
        let link = folder.join("link");
        let _ = fs::remove_file(&link);
        fs::create_dir_all(folder.join(target)).unwrap();
        symlink(folder.join(target).join("inbox"), &link).unwrap();
        link
    };
    fs::create_dir_all(folder.join("one")).unwrap();
    fs::write(folder.join("one").join("inbox"), "").unwrap();
    let mut command = command(&folder);
    command.env("INBOX", link("one"));
    let receiver = Receiver::spawn(&folder, command);
    answers(&receiver, 1, 200);
    link("two");
    answers(&receiver, 2, 503);
    link("one");
    answers(&receiver, 2, 200);
}

#[test]
fn what_was_promised_before_the_file_was_deleted_is_worked_on() {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let mut command = command(&folder);
    command.args(["--workers", "1"]);
    with_timings(&mut command, "grace=60000");
    let mut receiver = Receiver::spawn(&folder, command);
    let held = message("Visitor1", "wait for the file", 1).to_vec();
    assert_eq!(receiver.deliver(held), 200);
    eventually("it is in work", || !receiver.worked_on().is_empty());
    // The work on this item begins only after the outcome of the first item is noted.
    assert_eq!(receiver.deliver(body(3)), 200);
    let [database, log, index] = files(&receiver);
    fs::remove_file(&database).unwrap();
    answers(&receiver, 2, 503);
    fs::write(receiver.folder.join("go on"), "").unwrap();
    let has_ended = |start| receiver.worked_on().iter().any(|line| line.starts_with(start));
    eventually("both are done", || has_ended("end 1 ") && has_ended("end 2 "));
    assert_eq!(receiver.stop().code(), Some(0));
    // Only the log of the database is left of the inbox, and SQLite would delete the log for a new file.
    assert!(log.metadata().unwrap().len() > 0);
    let output = run(&receiver.folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(problem.ends_with("inbox.sqlite3-wal is not: put the file or a backup back\n"), "{problem}");
    for file in [log, index] {
        fs::remove_file(file).unwrap();
    }
    answers(&Receiver::start_in(&receiver.folder), 2, 200);
}

#[test]
fn what_is_in_a_log_that_was_deleted_is_put_into_the_file_at_a_clean_end() {
    if POSTGRES {
        return;
    }
    let mut receiver = Receiver::start_with("grace=60000");
    answers(&receiver, 1, 200);
    receiver.all_done();
    fs::remove_file(&files(&receiver)[1]).unwrap();
    answers(&receiver, 2, 503);
    assert_eq!(receiver.stop().code(), Some(0));
    let receiver = Receiver::start_in(&receiver.folder);
    assert_eq!(receiver.list().len(), 1);
    answers(&receiver, 2, 200);
}

#[test]
fn a_file_that_is_truncated_keeps_no_delivery() {
    if POSTGRES {
        return;
    }
    let receiver = Receiver::start();
    for number in 0..40 {
        assert_eq!(receiver.deliver(body(number)), 200);
    }
    receiver.all_done();
    // After a `VACUUM`, the file is smaller and still whole.
    let size = || files(&receiver)[0].metadata().unwrap().len();
    let checkpoint = || sqlite(&receiver.folder).query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
    checkpoint();
    let before = size();
    sqlite(&receiver.folder).execute_batch("UPDATE record SET received_at = 0").unwrap();
    assert_eq!(run(&receiver.folder, &["prune", "--older-than", "1"]).stdout, b"rows deleted: 40\n");
    answers(&receiver, 100, 200);
    sqlite(&receiver.folder).execute_batch("VACUUM").unwrap();
    eventually("the file is smaller", || {
        checkpoint();
        size() < before
    });
    answers(&receiver, 101, 200);
    checkpoint();
    OpenOptions::new().write(true).open(&files(&receiver)[0]).unwrap().set_len(4096).unwrap();
    answers(&receiver, 102, 503);
    // The answers stay 503, although the database makes the file longer again.
    let _ = sqlite(&receiver.folder).query_row("PRAGMA wal_checkpoint", [], |_| Ok(()));
    answers(&receiver, 102, 503);
}

#[test]
fn a_file_that_is_truncated_before_the_next_delivery_keeps_no_delivery() {
    if POSTGRES {
        return;
    }
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(message("Visitor1", "wait for the file", 1).to_vec()), 200);
    eventually("it is in work", || !receiver.worked_on().is_empty());
    assert_eq!(receiver.get("/healthz").0, 200);
    // The log of the database holds all content. Another process writes the log into the file. After that, no delivery
    // and no health check comes, so only the work of the receiver notices that the file is longer.
    let size = || files(&receiver)[0].metadata().unwrap().len();
    let before = size();
    sqlite(&receiver.folder).query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
    assert!(size() > before);
    fs::write(receiver.folder.join("go on"), "").unwrap();
    eventually("it is done", || count_in(&receiver.folder, "item", "state = 'done'") == 1);
    OpenOptions::new().write(true).open(&files(&receiver)[0]).unwrap().set_len(before).unwrap();
    answers(&receiver, 2, 503);
}

#[test]
fn a_database_that_refuses_new_records_is_not_healthy() {
    let receiver = Receiver::start();
    execute(
        &receiver.folder,
        if POSTGRES {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION refuse()"
        } else {
            "CREATE TRIGGER refuse BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'no'); END"
        },
    );
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 503);
    assert_eq!(receiver.get("/healthz").0, 503);
}
