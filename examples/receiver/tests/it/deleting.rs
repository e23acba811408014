//! What operators delete.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::support::{
    Operators, Receiver, command, connect, count, count_in, eventually, execute, folder, inbox, lock, message, run,
    runtime, sqlite, statements_that_wait, telling_body, with_timings,
};

fn error(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// Whether a file of the inbox holds a text, the log of SQLite among them.
fn is_in_a_file(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut inbox = files.filter(|file| file.to_str().unwrap().contains("inbox.sqlite3"));
    inbox.any(|file| fs::read(file).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()))
}

#[test]
fn a_row_that_is_deleted_takes_the_words_of_the_visitor_with_it() {
    let receiver = Receiver::start();
    // One body that fits into a page of SQLite, and one that does not.
    let bodies = [telling_body(), telling_body().replace("my PIN is 47114711", &"my PIN is 47114711 ".repeat(2_000))];
    for body in &bodies {
        assert_eq!(receiver.deliver(body.replace(r#""push_times": 4"#, r#""push_times": "four""#)), 200);
    }
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.row(3, "done");
    assert!(POSTGRES || is_in_a_file(&receiver.folder, "my PIN is 47114711"));
    for id in ["1", "2"] {
        assert!(String::from_utf8(run(&receiver.folder, &["show", id]).stdout).unwrap().contains("my PIN is 47114711"));
        let deleted = run(&receiver.folder, &["delete", id]);
        assert_eq!(deleted.stdout, b"row deleted, and the request body with it\n", "{deleted:?}");
        assert_eq!(error(&run(&receiver.folder, &["show", id])).0, Some(1));
    }
    for word in ["my PIN is 47114711", "Visitor-Ada"] {
        assert!(!is_in_a_file(&receiver.folder, word), "{word}");
    }
    assert_eq!((receiver.list().len(), count_in(&receiver.folder, "record", "true")), (1, 1));
    // The item is forgotten: it counts as new.
    assert_eq!(receiver.deliver(&bodies[0]), 200);
    receiver.row(4, "done");
}

#[test]
fn a_row_in_work_is_not_deleted_and_the_body_stays_with_the_last_row() {
    let folder = folder();
    let mut command = command(&folder);
    // Nobody listens on this address.
    command.env("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/");
    with_timings(&mut command, "channel_pauses=600000");
    let receiver = Receiver::spawn(&folder, command);
    assert_eq!(receiver.deliver(message("Visitor1", "wait for the file", 1).to_vec()), 200);
    receiver.row(1, "in work");
    for change in ["delete", "retry"] {
        let (code, problem) = error(&run(&folder, &[change, "1"]));
        assert_eq!((code, problem.as_str()), (Some(1), "receiver: there is no row 1, or it is being worked on\n"));
    }
    fs::write(folder.join("go on"), "").unwrap();
    receiver.row(1, "done");
    assert_eq!(
        String::from_utf8(run(&folder, &["delete", "1"]).stdout).unwrap(),
        "row deleted; other rows of the item, which keep the request body: 1\n"
    );
    assert!(run(&folder, &["show", "2"]).status.success());
    eventually("the attempt for slack has failed", || count(&folder, "owner IS NULL AND attempts > 0") == 1);
    assert_eq!(run(&folder, &["delete", "2"]).stdout, b"row deleted, and the request body with it\n");
    assert_eq!((receiver.list().len(), count_in(&folder, "record", "true")), (0, 0));
}

/// Runs on PostgreSQL only. On SQLite, nobody writes between two statements of a transaction.
#[test]
fn the_body_goes_with_the_last_row_although_two_rows_are_deleted_at_once() {
    if !POSTGRES {
        return;
    }
    for commands in [[vec!["delete", "1"], vec!["delete", "2"]], [PRUNE.to_vec(), [&PRUNE[..], &["--dead"]].concat()]] {
        let folder = folder();
        let mut start = command(&folder);
        // Nobody listens on this address.
        start.env("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/");
        let mut receiver = Receiver::spawn(&folder, start);
        assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
        receiver.row(1, "done");
        receiver.kill();
        execute(&folder, "UPDATE item SET state = 'dead', owner = NULL WHERE id = 2");
        make_old(&receiver);
        // A statement that deletes records waits here. It has found out which rows there are.
        let wait = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
            CREATE TRIGGER wait BEFORE DELETE ON record FOR EACH STATEMENT EXECUTE FUNCTION wait()";
        execute(&folder, wait);
        let client = runtime().block_on(connect(&inbox(&folder)));
        runtime().block_on(client.batch_execute("SELECT pg_advisory_lock(1)")).unwrap();
        let running = commands.clone().map(|arguments| {
            command(&folder).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        eventually("both wait", || statements_that_wait(&folder, "") == 2);
        runtime().block_on(client.batch_execute("SELECT pg_advisory_unlock(1)")).unwrap();
        for command in running {
            let output = command.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        assert_eq!((count(&folder, "true"), count_in(&folder, "record", "true")), (0, 0), "{commands:?}");
    }
}

/// Runs on PostgreSQL only.
#[test]
fn a_row_that_is_put_back_while_it_is_pruned_stays() {
    if !POSTGRES {
        return;
    }
    let mut receiver = Receiver::start();
    assert_eq!(receiver.deliver("not JSON"), 200);
    receiver.kill();
    make_old(&receiver);
    let folder = &receiver.folder;
    let client = runtime().block_on(connect(&inbox(folder)));
    runtime().block_on(client.batch_execute("BEGIN; SELECT FROM record FOR UPDATE")).unwrap();
    let prune = [&PRUNE[..], &["--dead"]].concat();
    let prune = command(folder).args(prune).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("it has found the row, and waits for the record", || statements_that_wait(folder, "") == 1);
    assert_eq!(run(folder, &["retry", "1"]).stdout, b"rows put back to waiting: 1\n");
    runtime().block_on(client.batch_execute("COMMIT")).unwrap();
    let output = prune.wait_with_output().unwrap();
    assert_eq!((error(&output), output.stdout.as_slice()), ((Some(0), String::new()), &b"rows deleted: 0\n"[..]));
    assert_eq!(count(folder, "id = 1 AND state = 'waiting'"), 1);
}

#[test]
fn what_a_killed_receiver_had_in_work_can_be_deleted_and_retried_at_once() {
    let mut receiver = Receiver::start();
    for visitor in ["Visitor1", "Visitor2"] {
        assert_eq!(receiver.deliver(message(visitor, "never end", 1).to_vec()), 200);
    }
    receiver.row(2, "in work");
    receiver.kill();
    let (folder, again) = (receiver.folder.clone(), b"rows put back to waiting: 1\n");
    // PostgreSQL notices the end of a process a moment later. Elsewhere than on Linux, SQLite takes longer.
    if cfg!(target_os = "linux") {
        eventually("the row is put back", || run(&folder, &["retry", "1"]).stdout == again);
        eventually("the row is deleted", || run(&folder, &["delete", "2"]).status.success());
    }
}

#[test]
fn deliveries_are_taken_while_a_row_is_deleted_and_another_process_reads() {
    let folder = folder();
    // A process that waited until the other process has read would wait for an hour, so the test would fail.
    let patient = || {
        let mut command = command(&folder);
        with_timings(&mut command, "busy=3600000");
        command
    };
    let operators = Operators::start(&folder, patient());
    for visitor in ["Visitor-Ada", "Visitor-Ben"] {
        assert_eq!(operators.receiver.deliver(message(visitor, "", 1).to_vec()), 200);
    }
    operators.receiver.all_done();
    // Another process reads, as a backup does.
    let read = "BEGIN; SELECT count(*) FROM item";
    let database = (!POSTGRES).then(|| sqlite(&folder));
    let client = POSTGRES.then(|| runtime().block_on(connect(&inbox(&folder))));
    let _ = database.as_ref().map(|database| database.execute_batch(read).unwrap());
    let _ = client.as_ref().map(|client| runtime().block_on(client.batch_execute(read)).unwrap());
    let delete = patient().args(["delete", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut delete, mut number) = (Some(delete), 3);
    let mut deliver = || {
        assert_eq!(operators.receiver.deliver(message(&format!("Visitor{number}"), "", 1).to_vec()), 200);
        number += 1;
    };
    eventually("the row is deleted", || {
        deliver();
        delete.as_mut().unwrap().try_wait().unwrap().is_some()
    });
    let (code, problem) = error(&delete.take().unwrap().wait_with_output().unwrap());
    let page = thread::scope(|scope| {
        let page = scope.spawn(|| operators.press("/rows/2/delete"));
        eventually("the page has answered", || {
            deliver();
            page.is_finished()
        });
        page.join().unwrap()
    });
    assert_eq!(count(&folder, "id < 3"), 0);
    if POSTGRES {
        assert!(code == Some(0) && page.starts_with("HTTP/1.1 303 "), "{problem} {page}");
    } else {
        // SQLite cannot empty its log while somebody reads.
        let left = "all that was to be deleted is deleted, but the log of the database may still hold it: ";
        assert!(code == Some(1) && problem.starts_with(&format!("receiver: {left}")), "{problem}");
        assert!(page.starts_with("HTTP/1.1 503 ") && page.contains(left), "{page}");
        let (code, problem) = error(&patient().args(["prune", "--older-than", "6"]).output().unwrap());
        assert!(code == Some(1) && problem.starts_with(&format!("receiver: {left}")), "{problem}");
    }
    drop((database, client));
    assert_eq!(prune(&operators.receiver, &[]), "rows deleted: 0\n");
    assert!(!is_in_a_file(&folder, "Visitor-Ada") && !is_in_a_file(&folder, "Visitor-Ben"));
}

#[test]
fn a_row_is_deleted_as_soon_as_another_process_has_read() {
    if POSTGRES {
        return;
    }
    let mut receiver = Receiver::start_with("grace=60000");
    assert_eq!(receiver.deliver(telling_body()), 200);
    receiver.row(1, "done");
    // Only the reader keeps the command from emptying the log of the database.
    receiver.stop();
    let folder = &receiver.folder;
    let reader = sqlite(folder);
    reader.execute_batch("BEGIN; SELECT count(*) FROM item").unwrap();
    let mut delete = command(folder);
    with_timings(&mut delete, "look=3000");
    let delete = delete.args(["delete", "1"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the row is gone", || count(folder, "true") == 0);
    // Meanwhile, the command tries for the first time.
    thread::sleep(Duration::from_millis(500));
    drop(reader);
    let (code, problem) = error(&delete.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{problem}");
    assert!(!is_in_a_file(folder, "my PIN is 47114711"));
}

#[test]
fn a_row_is_deleted_while_no_delivery_is_kept() {
    if POSTGRES {
        return;
    }
    let folder = folder();
    let operators = Operators::start(&folder, command(&folder));
    assert_eq!(operators.receiver.deliver(telling_body()), 200);
    operators.receiver.row(1, "done");
    fs::rename(folder.join("inbox.sqlite3"), folder.join("aside")).unwrap();
    assert_eq!(operators.receiver.deliver(fixtures::UNREPLIED), 503);
    let answer = operators.press("/rows/1/delete");
    assert!(answer.contains("done=deleted&id=1\r\n"), "{answer}");
    fs::rename(folder.join("aside"), folder.join("inbox.sqlite3")).unwrap();
    assert!(!is_in_a_file(&folder, "my PIN is 47114711"));
}

/// On SQLite, a deletion waits only a moment for those that read. The delivery after it waits as long as any other.
#[test]
fn a_delivery_after_a_deletion_still_waits_for_another_process_that_writes() {
    let folder = folder();
    let operators = Operators::start(&folder, command(&folder));
    assert_eq!(operators.receiver.deliver(telling_body()), 200);
    operators.receiver.row(1, "done");
    let answer = operators.press("/rows/1/delete");
    assert!(answer.contains("done=deleted&id=1\r\n"), "{answer}");
    let locked = lock(&folder);
    thread::scope(|scope| {
        let delivery = scope.spawn(|| operators.receiver.deliver(fixtures::UNREPLIED));
        thread::sleep(Duration::from_secs(1));
        drop(locked);
        assert_eq!(delivery.join().unwrap(), 200);
    });
}

#[test]
fn rows_are_listed_and_shown_while_another_process_writes() {
    let receiver = Receiver::start();
    assert_eq!(receiver.deliver(fixtures::UNREPLIED), 200);
    receiver.row(1, "done");
    // The test does not lock PostgreSQL: there, `lock` also keeps others from reading. No lock of a receiver does so.
    let locked = (!POSTGRES).then(|| lock(&receiver.folder));
    assert_eq!(receiver.list().len(), 1);
    assert_eq!(run(&receiver.folder, &["show", "1"]).stdout, fixtures::UNREPLIED.as_bytes());
    drop(locked);
}

/// Moves all records that are in the inbox into the past.
fn make_old(receiver: &Receiver) {
    let days = if POSTGRES { "interval '7 days'" } else { "7 * 86400" };
    execute(&receiver.folder, &format!("UPDATE record SET received_at = received_at - {days}"));
}

const PRUNE: [&str; 3] = ["prune", "--older-than", "6"];

fn prune(receiver: &Receiver, arguments: &[&str]) -> String {
    let arguments = [&PRUNE, arguments].concat();
    String::from_utf8(run(&receiver.folder, &arguments).stdout).unwrap()
}

#[test]
fn dead_rows_are_pruned_only_if_the_operator_says_so() {
    let receiver = Receiver::start();
    let broken = telling_body().replace(r#""push_times": 4"#, r#""push_times": "four""#);
    for body in [fixtures::UNREPLIED, &broken, "my PIN is 47114711"] {
        assert_eq!(receiver.deliver(body), 200);
    }
    receiver.row(1, "done");
    make_old(&receiver);
    // This delivery is not old enough to be pruned.
    assert_eq!(receiver.deliver("not JSON either"), 200);
    assert_eq!(prune(&receiver, &[]), "rows deleted: 1\n");
    assert_eq!(receiver.list().len(), 3);
    assert_eq!(prune(&receiver, &["--dead", "--event", "OFFLINE_FORM_SUBMIT"]), "rows deleted: 0\n");
    // The body without an event is pruned too.
    assert_eq!(prune(&receiver, &["--dead"]), "rows deleted: 2\n");
    assert_eq!((receiver.list().len(), count_in(&receiver.folder, "record", "true")), (1, 1));
    assert!(!is_in_a_file(&receiver.folder, "my PIN is 47114711"));
}

#[test]
fn an_unknown_event_is_kept_until_it_is_pruned_by_its_name() {
    let receiver = Receiver::start();
    // The first name is shown escaped and cut.
    let long = format!("<\u{1f600}>{}", "x".repeat(80));
    let names = [long.as_str(), "EVENT_OF_TOMORROW", "UNREPLIED"];
    for name in names {
        assert_eq!(receiver.deliver(fixtures::UNREPLIED.replace("UNREPLIED", name)), 200);
    }
    receiver.all_done();
    execute(&receiver.folder, "UPDATE item SET state = 'dead' WHERE id = 2");
    make_old(&receiver);
    assert_eq!(prune(&receiver, &[]), "rows deleted: 1\n");
    assert_eq!(prune(&receiver, &["--dead"]), "rows deleted: 0\n");
    let rows = receiver.list();
    let shown = rows[0]["event"].as_str().unwrap();
    assert!(shown.starts_with(r"<\u{1f600}>x") && shown.len() < long.len(), "{shown}");
    assert_eq!(prune(&receiver, &["--event", &long]), "rows deleted: 0\n");
    assert_eq!(prune(&receiver, &["--event", shown]), "rows deleted: 1\n");
    assert_eq!(prune(&receiver, &["--event", "EVENT_OF_TOMORROW"]), "rows deleted: 0\n");
    assert_eq!(prune(&receiver, &["--event", "EVENT_OF_TOMORROW", "--dead"]), "rows deleted: 1\n");
    assert_eq!((receiver.list().len(), count_in(&receiver.folder, "record", "true")), (0, 0));
}
