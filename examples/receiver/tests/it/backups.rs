//! Copies of the inbox are whole, and a receiver goes on with a restored backup. Only the owner can read the files.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::support::{
    Receiver, command, copy_database, count, count_in, eventually, folder, message, rows, run, sqlite, with_timings,
};

fn mode(file: &Path) -> u32 {
    file.metadata().unwrap().permissions().mode() & 0o777
}

fn deliver(receiver: &Receiver, visitor: &str) -> u16 {
    receiver.deliver(message(visitor, "hello", 1).to_vec())
}

#[test]
fn after_a_clean_end_the_file_alone_is_whole() {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let start = || {
        let mut command = command(&folder);
        // A busy disk can need longer than the usual time for the end.
        with_timings(&mut command, "grace=60000");
        Receiver::spawn(&folder, command)
    };
    let kept_in_the_file = || {
        let copy = crate::support::folder();
        fs::copy(folder.join("inbox.sqlite3"), copy.join("inbox.sqlite3")).unwrap();
        count_in(&copy, "record", "true")
    };
    // Nothing is left beside the file, no matter which receiver ends last.
    for round in 0..3 {
        let mut receivers = [(); 2].map(|()| start());
        for (number, receiver) in receivers.iter().enumerate() {
            for delivery in 0..10 {
                assert_eq!(deliver(receiver, &format!("Visitor{round}-{number}-{delivery}")), 200);
            }
        }
        for receiver in &receivers {
            receiver.signal("TERM");
        }
        for receiver in &mut receivers {
            assert_eq!(receiver.wait().code(), Some(0));
        }
        assert_eq!(kept_in_the_file(), 20 * (round + 1));
    }
    // The file is also whole if another process still has it open.
    let mut receiver = start();
    let open = sqlite(&folder);
    open.query_row("SELECT count(*) FROM record", [], |_| Ok(())).unwrap();
    assert_eq!(deliver(&receiver, "Visitor-last"), 200);
    receiver.all_done();
    assert_eq!(receiver.stop().code(), Some(0));
    assert_eq!(kept_in_the_file(), 3 * 20 + 1);
    drop(open);
}

#[test]
fn a_backup_of_a_receiver_that_serves_can_be_restored() {
    if POSTGRES {
        let mut receiver = Receiver::start();
        for number in 0..20 {
            assert_eq!(deliver(&receiver, &format!("Visitor{number}")), 200);
        }
        let held = message("Visitor-held", "wait for the file", 1).to_vec();
        assert_eq!(receiver.deliver(&held), 200);
        eventually("it is in work", || count(&receiver.folder, "owner IS NOT NULL") == 1);
        let copy = folder();
        copy_database(&receiver.folder, &copy);
        receiver.kill();
        fs::write(copy.join("go on"), "").unwrap();
        let receiver = Receiver::start_in(&copy);
        receiver.all_done();
        assert_eq!(receiver.deliver(held), 200);
        assert_eq!(deliver(&receiver, "Visitor-after"), 200);
        assert_eq!(count(&copy, "true"), 22);
        let output = run(&receiver.folder, &["backup", "copy"]);
        assert_eq!(output.status.code(), Some(1));
        let problem = String::from_utf8(output.stderr).unwrap();
        assert_eq!(problem, "receiver: the inbox is in PostgreSQL: back it up with pg_dump\n");
        return;
    }
    let mut receiver = Receiver::start();
    let folder = receiver.folder.clone();
    let backup = folder.join("backup");
    let (promised, done) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    let mut before = BTreeSet::new();
    thread::scope(|scope| {
        for client in 0..4 {
            let (receiver, promised, done) = (&receiver, &promised, &done);
            scope.spawn(move || {
                for number in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let visitor = format!("Visitor{client}-{number}");
                    assert_eq!(deliver(receiver, &visitor), 200);
                    promised.lock().unwrap().insert(visitor);
                }
            });
        }
        eventually("some are kept", || promised.lock().unwrap().len() > 20);
        before = promised.lock().unwrap().clone();
        let output = run(&folder, &["backup", "backup"]);
        done.store(true, Ordering::Relaxed);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    assert_eq!(mode(&backup), 0o600);
    // A second backup does not overwrite the first one, and leaves nothing behind.
    let size = fs::metadata(&backup).unwrap().len();
    assert_eq!(deliver(&receiver, "Visitor-after"), 200);
    let output = run(&folder, &["backup", "backup"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().ends_with("the file exists\n"));
    assert_eq!(fs::metadata(&backup).unwrap().len(), size);
    let partial = |name: &std::ffi::OsStr| name.to_str().unwrap().starts_with(".receiver-backup");
    assert!(!fs::read_dir(&folder).unwrap().any(|entry| partial(&entry.unwrap().file_name())));

    receiver.kill();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(folder.join(format!("inbox.sqlite3{suffix}"))).unwrap();
    }
    fs::copy(&backup, folder.join("inbox.sqlite3")).unwrap();
    let receiver = Receiver::start_in(&folder);
    receiver.all_done();
    let visitor =
        |row: &Vec<String>| serde_json::from_str::<serde_json::Value>(&row[0]).unwrap()[4].as_str().unwrap().to_owned();
    let kept: BTreeSet<_> = rows(&folder, "SELECT key FROM record").iter().map(visitor).collect();
    assert!(before.is_subset(&kept), "{:?}", before.difference(&kept));
    // An item that came after the backup counts as new.
    assert!(!kept.contains("Visitor-after"));
    assert_eq!(deliver(&receiver, "Visitor-after"), 200);
    assert_eq!(receiver.get("/healthz").0, 200);
}

#[test]
fn a_backup_that_fails_says_why() {
    let folder = folder();
    let output = run(&folder, &["backup", "copy"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("receiver: cannot open the inbox "));
    assert!(!folder.join("copy").exists());
    if POSTGRES {
        return;
    }
    let receiver = Receiver::start_in(&folder);
    for file in ["missing/copy", "inbox.sqlite3"] {
        let output = run(&folder, &["backup", file]);
        assert_eq!(output.status.code(), Some(1));
        let problem = String::from_utf8(output.stderr).unwrap();
        assert!(problem.starts_with(&format!("receiver: no backup is written to {file}: ")), "{problem}");
    }
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
}

#[test]
fn the_files_of_the_inbox_are_for_their_owner_alone() {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let mut inner = command(&folder);
    with_timings(&mut inner, "grace=60000");
    let mut open = Command::new("sh");
    open.args(["-c", "umask 0 && exec \"$0\""]).arg(inner.get_program()).current_dir(&folder).env_clear();
    open.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    let mut receiver = Receiver::spawn(&folder, open);
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&folder.join(format!("inbox.sqlite3{suffix}"))), 0o600, "{suffix}");
    }
    receiver.stop();
    // The mode that an operator has set stays.
    fs::set_permissions(folder.join("inbox.sqlite3"), Permissions::from_mode(0o640)).unwrap();
    let receiver = Receiver::start_in(&folder);
    assert_eq!(receiver.deliver(fixtures::OFFLINE_FORM_SUBMIT), 200);
    for suffix in ["", "-wal"] {
        assert_eq!(mode(&folder.join(format!("inbox.sqlite3{suffix}"))), 0o640, "{suffix}");
    }
}
