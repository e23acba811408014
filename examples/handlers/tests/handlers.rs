//! Each handler takes every kind of request, and answers what the guide says. Each handler runs as its own process.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rusqlite::Connection;
use twt_chat_webhooks::{AppSecret, Payload, Timestamp, UnrepliedContent, fixtures};

const SECRET: &str = "s3cret of example.com";

/// How long a test waits for a condition. On a busy machine, much takes long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running handler. It ends with the test.
struct Handler {
    process: Child,
    address: String,
    folder: PathBuf,
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Handler {
    /// Starts a handler in an empty folder, on a free port.
    fn start(program: &str, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut process = Command::new(program)
            .current_dir(&folder)
            .env("TWT_APP_SECRET", SECRET)
            .env("ADDR", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        // The handler can print at any time, so somebody must read until its end.
        thread::spawn(move || lines.for_each(drop));
        Self { process, address: line.trim_start_matches("listening on ").to_owned(), folder }
    }

    /// Posts a body with a signature, and returns the status of the answer.
    fn post(&self, body: &[u8], signature: Option<&str>) -> u16 {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        let request = ureq::Agent::from(config.build()).post(format!("{}/webhooks/twt-chat", self.address));
        let request = request.header("content-type", "application/json");
        let request = match signature {
            Some(signature) => request.header("x-chat-signature", signature),
            None => request,
        };
        request.send(body).unwrap().status().as_u16()
    }

    /// Posts a body with the right signature.
    fn post_signed(&self, body: impl AsRef<[u8]>) -> u16 {
        let body = body.as_ref();
        let signature = AppSecret::new(SECRET).unwrap().sign(body);
        self.post(body, Some(&signature.to_string()))
    }

    /// The rows of the table: event, body, problem, and whether the work is done.
    fn rows(&self) -> Vec<(Option<String>, Vec<u8>, Option<String>, bool)> {
        let inbox = Connection::open(self.folder.join("inbox.sqlite3")).unwrap();
        let mut select = inbox.prepare("SELECT event, body, problem, done FROM inbox ORDER BY rowid").unwrap();
        let rows = select.query_map([], |row| row.try_into()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Waits until the work on all good rows is done.
    fn eventually_done(&self) {
        let start = Instant::now();
        while self.rows().iter().any(|(_, _, problem, is_done)| problem.is_none() && !is_done) {
            assert!(start.elapsed() < PATIENCE, "the work is never done");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn message(text: &str) -> Payload {
    let message = UnrepliedContent::builder("Visitor15", now()).message_content(text).build();
    Payload::new(now(), "58946f5f583edd94f5cf87e3534d04fb", message)
}

fn takes_every_kind_of_request(handler: &Handler) {
    // A message, and its retry.
    let first = message("Is anybody there?");
    assert_eq!(handler.post_signed(first.to_vec()), 200);
    assert_eq!(handler.post_signed(first.to_vec()), 200);
    assert_eq!(handler.rows().len(), 1);

    // A wrong signature, and none.
    let wrong = AppSecret::new("another").unwrap().sign(&first.to_vec()).to_string();
    assert_eq!(handler.post(&first.to_vec(), Some(&wrong)), 403);
    assert_eq!(handler.post(&first.to_vec(), None), 403);
    assert_eq!(handler.rows().len(), 1);

    // A batch with a bad item, an unknown event, a body that is not JSON, and hostile text.
    let batch = String::from_utf8(message("One of two").to_vec()).unwrap();
    let batch = batch.replacen("\"content\":[", "\"content\":[{\"created_at\":\"now\"},", 1);
    assert_eq!(handler.post_signed(&batch), 200);
    let unknown = String::from_utf8(message("").to_vec()).unwrap().replace("UNREPLIED", "EVENT_OF_\\u0000TOMORROW");
    assert_eq!(handler.post_signed(&unknown), 200);
    assert_eq!(handler.post_signed("not JSON"), 200);
    assert_eq!(handler.post_signed(message("\0 ' \" 🙂").to_vec()), 200);

    // A stale request is a dead letter. A fresh retry of the same item replaces it.
    let stale = fixtures::offline_form_submit();
    assert_eq!(handler.post_signed(stale.to_vec()), 200);
    let dead = |rows: Vec<(Option<String>, Vec<u8>, Option<String>, bool)>| {
        rows.into_iter().filter_map(|(_, _, problem, _)| problem).collect::<Vec<_>>()
    };
    let problems = dead(handler.rows());
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("UNREPLIED content[0].created_at: expected Unix seconds"), "{problems:?}");
    assert!(problems[1].starts_with("the body is not JSON"), "{problems:?}");
    assert!(problems[2].starts_with("sent "), "{problems:?}");
    let mut fresh = stale;
    fresh.created_at = now();
    assert_eq!(handler.post_signed(fresh.to_vec()), 200);
    assert_eq!(dead(handler.rows()).len(), 2);

    handler.eventually_done();
    let rows = handler.rows();
    assert_eq!(rows.len(), 7);
    for (event, body, problem, is_done) in &rows {
        assert_eq!((problem.is_none(), Payload::from_slice(body).is_ok()), (*is_done, *is_done), "{event:?}");
    }
    assert!(rows.iter().any(|(event, ..)| event.as_deref() == Some(r"EVENT_OF_\u{0}TOMORROW")));
}

#[test]
fn axum_with_sqlite_takes_every_kind_of_request() {
    let handler = Handler::start(env!("CARGO_BIN_EXE_axum_sqlite"), "axum_sqlite");
    takes_every_kind_of_request(&handler);
}

#[test]
fn the_readme_shows_the_handler_with_axum_and_sqlite() {
    let readme = include_str!("../../../README.md");
    assert!(
        readme
            .contains(&format!("```rust,ignore\n{}```\n", include_str!("../../../src/guide/handlers/axum_sqlite.rs")))
    );
}
