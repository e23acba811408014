//! Each handler takes every kind of request, and answers what the guide says. Each handler runs as its own process.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod lambda;
mod postgres;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use twt_chat_webhooks::{AppSecret, Payload, Timestamp, UnrepliedContent, fixtures};

use lambda::Api;
use postgres::Server;

const SECRET: &str = "s3cret of example.com";

/// How long a test waits for a condition before it fails. The limit is generous, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running handler. It ends with the test.
struct Handler {
    process: Child,
    front: Front,
    inbox: Inbox,
    /// What the handler has printed.
    lines: Arc<Mutex<Vec<String>>>,
}

/// How a request gets to a handler.
enum Front {
    /// A POST to this URL.
    Http(String),
    Lambda(Api),
}

/// Where a handler stores its records.
#[derive(Clone)]
enum Inbox {
    /// A SQLite file in this folder.
    Sqlite(PathBuf),
    /// The PostgreSQL database with this URL.
    Postgres(String),
}

/// A row of the table.
struct Row {
    event: Option<String>,
    body: Vec<u8>,
    problem: Option<String>,
    is_done: bool,
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Handler {
    /// Starts a handler that listens on a free port.
    fn start(program: &str, inbox: &Inbox) -> Self {
        let mut process = inbox.handler(program).env("ADDR", "127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = output.next().unwrap().unwrap();
        let front = Front::Http(line.trim_start_matches("listening on ").to_owned());
        let lines = Arc::<Mutex<Vec<_>>>::default();
        let collected = Arc::clone(&lines);
        // A handler whose output nobody reads would wait when the pipe is full, so a thread reads until the end.
        thread::spawn(move || output.for_each(|line| collected.lock().unwrap().push(line.unwrap())));
        Self { process, front, inbox: inbox.clone(), lines }
    }

    /// Starts a handler as a Lambda function.
    fn start_on_lambda(program: &Path, inbox: &Inbox, is_base64: bool) -> Self {
        let api = Api::start(is_base64);
        let process = inbox
            .handler(program.to_str().unwrap())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "example")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, front: Front::Lambda(api), inbox: inbox.clone(), lines: Arc::default() }
    }

    /// Posts a body with a signature, and returns the status of the answer.
    fn post(&self, body: &[u8], signature: Option<&str>) -> u16 {
        let address = match &self.front {
            Front::Http(address) => address,
            Front::Lambda(api) => return api.post(body, signature),
        };
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        let request = ureq::Agent::from(config.build()).post(format!("{address}/webhooks/twt-chat"));
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

    /// Whether the handler also works on the rows.
    fn works(&self) -> bool {
        matches!(self.front, Front::Http(_))
    }

    /// Waits until the work on all good rows is done.
    fn eventually_done(&self) {
        let start = Instant::now();
        while self.works() && self.inbox.rows().iter().any(|row| row.problem.is_none() && !row.is_done) {
            assert!(start.elapsed() < PATIENCE, "the work is never done");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Inbox {
    /// An empty folder for the file of SQLite.
    fn sqlite(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self::Sqlite(folder)
    }

    /// The command of a handler that stores in this inbox.
    fn handler(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("TWT_APP_SECRET", SECRET);
        match self {
            Self::Sqlite(folder) => command.current_dir(folder),
            Self::Postgres(url) => command.env("DATABASE_URL", url),
        };
        command
    }

    fn rows(&self) -> Vec<Row> {
        const SELECT: &str = "SELECT event, body, problem, done FROM inbox";
        type Columns = (Option<String>, Vec<u8>, Option<String>, bool);
        let rows: Vec<Columns> = match self {
            Self::Sqlite(folder) => {
                let inbox = open(folder);
                let mut select = inbox.prepare(SELECT).unwrap();
                select.query_map([], |row| row.try_into()).unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(url) => postgres::run(url, async |inbox| sqlx::query_as(SELECT).fetch_all(inbox).await),
        };
        rows.into_iter().map(|(event, body, problem, is_done)| Row { event, body, problem, is_done }).collect()
    }

    /// The problems of all dead letters.
    fn problems(&self) -> Vec<String> {
        self.rows().into_iter().filter_map(|row| row.problem).collect()
    }

    fn rename_table(&self, from: &str, to: &str) {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        match self {
            Self::Sqlite(folder) => {
                open(folder).execute(&sql, []).unwrap();
            }
            Self::Postgres(url) => {
                let sql = sqlx::AssertSqlSafe(sql);
                postgres::run(url, async |inbox| sqlx::query(sql).execute(inbox).await);
            }
        }
    }
}

/// Opens the file of SQLite in a folder, and waits for the locks of the handler.
fn open(folder: &Path) -> rusqlite::Connection {
    let inbox = rusqlite::Connection::open(folder.join("inbox.sqlite3")).unwrap();
    inbox.busy_timeout(PATIENCE).unwrap();
    inbox
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn message(text: &str) -> UnrepliedContent {
    UnrepliedContent::builder("Visitor15", now()).message_content(text).build()
}

fn payload(items: impl Into<Vec<UnrepliedContent>>) -> Payload {
    Payload::new(now(), "58946f5f583edd94f5cf87e3534d04fb", items.into())
}

fn takes_every_kind_of_request(handler: &Handler) {
    let inbox = &handler.inbox;
    let count = |starts_with: &str| inbox.problems().iter().filter(|text| text.starts_with(starts_with)).count();

    // A message, and its retry.
    let first = payload([message("Is anybody there?")]).to_vec();
    assert_eq!(handler.post_signed(&first), 200);
    assert_eq!(handler.post_signed(&first), 200);
    assert_eq!(inbox.rows().len(), 1);
    assert_eq!(inbox.rows()[0].body, first);

    // A wrong signature, and none.
    let wrong = AppSecret::new("another").unwrap().sign(&first).to_string();
    assert_eq!(handler.post(&first, Some(&wrong)), 403);
    assert_eq!(handler.post(&first, None), 403);
    assert_eq!(inbox.rows().len(), 1);

    // Three items, two of which are the same item.
    let twice = message("Once or twice?");
    assert_eq!(handler.post_signed(payload([twice.clone(), message("And I?"), twice]).to_vec()), 200);
    assert_eq!(inbox.rows().len(), 3);

    // A batch with a bad item.
    let batch = String::from_utf8(payload([message("One of two")]).to_vec()).unwrap();
    let batch = batch.replacen("\"content\":[", "\"content\":[{\"created_at\":\"now\"},", 1);
    assert_eq!(handler.post_signed(&batch), 200);
    assert_eq!(inbox.rows().len(), 5);
    assert_eq!(count("UNREPLIED content[0].created_at: expected Unix seconds"), 1);

    // An unknown event, whose name has a NUL, and a body that is not JSON.
    let unknown = String::from_utf8(first).unwrap().replace("UNREPLIED", "EVENT_OF_\\u0000TOMORROW");
    assert_eq!(handler.post_signed(&unknown), 200);
    assert!(inbox.rows().iter().any(|row| row.event.as_deref() == Some(r"EVENT_OF_\u{0}TOMORROW")));
    assert_eq!(handler.post_signed("not JSON"), 200);
    assert_eq!(count("the body is not JSON"), 1);
    assert_eq!(inbox.rows().len(), 7);

    // A message with a NUL.
    assert_eq!(handler.post_signed(payload([message("\0 ' \" 🙂")]).to_vec()), 200);
    assert_eq!(inbox.rows().len(), 8);

    // A stale request is a dead letter. A fresh retry of the same item replaces it.
    assert_eq!(handler.post_signed(fixtures::HOSTILE), 200);
    assert_eq!(count("sent "), 1);
    assert!(inbox.rows().iter().any(|row| row.body == fixtures::HOSTILE.as_bytes()));
    let mut fresh = fixtures::hostile();
    fresh.created_at = now();
    assert_eq!(handler.post_signed(fresh.to_vec()), 200);
    assert_eq!(count("sent "), 0);
    assert_eq!(handler.post_signed(fixtures::HOSTILE), 200);
    assert_eq!(count("sent "), 0);
    assert!(inbox.rows().iter().any(|row| row.body == fresh.to_vec()));
    assert_eq!(inbox.rows().len(), 9);

    // Many items, and more than the 256 KiB that some frameworks take.
    let many: Vec<_> = (0..300).map(|number| message(&format!("{number} {}", "x".repeat(1000)))).collect();
    assert_eq!(handler.post_signed(payload(many).to_vec()), 200);
    assert_eq!(inbox.rows().len(), 309);

    // A request that cannot be stored is answered 503, so that the platform sends it again.
    handler.eventually_done();
    let last = payload([message("Is the table back?")]).to_vec();
    inbox.rename_table("inbox", "gone");
    assert_eq!(handler.post_signed(&last), 503);
    inbox.rename_table("gone", "inbox");
    assert_eq!(inbox.rows().len(), 309);
    assert_eq!(handler.post_signed(&last), 200);
    assert_eq!(inbox.rows().len(), 310);

    // All good rows have been worked on. Dead letters have not.
    handler.eventually_done();
    assert_eq!(inbox.problems().len(), 2);
    for row in inbox.rows() {
        assert_eq!(row.problem.is_none(), Payload::from_slice(&row.body).is_ok(), "{:?}", row.event);
        assert_eq!(row.is_done, row.problem.is_none() && handler.works(), "{:?}", row.event);
    }
}

#[test]
fn axum_with_sqlite_takes_every_kind_of_request() {
    let handler = Handler::start(env!("CARGO_BIN_EXE_axum_sqlite"), &Inbox::sqlite("axum_sqlite"));
    takes_every_kind_of_request(&handler);
}

#[test]
fn actix_web_with_sqlite_takes_every_kind_of_request() {
    let handler = Handler::start(env!("CARGO_BIN_EXE_actix_web"), &Inbox::sqlite("actix_web"));
    takes_every_kind_of_request(&handler);
}

#[test]
fn axum_with_postgres_takes_every_kind_of_request() {
    let Some(server) = Server::start("axum_postgres") else { return };
    let handler = Handler::start(env!("CARGO_BIN_EXE_axum_postgres"), &Inbox::Postgres(server.url()));
    takes_every_kind_of_request(&handler);
}

#[test]
fn several_programs_share_one_table_and_work_on_each_row_once() {
    let Some(server) = Server::start("shared_table") else { return };
    let inbox = Inbox::Postgres(server.url());
    // All handlers start at the same time, so each of them tries to create the table.
    let start = || Handler::start(env!("CARGO_BIN_EXE_axum_postgres"), &inbox);
    let handlers: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|handler| handler.join().unwrap()).collect()
    });
    let now = now();
    thread::scope(|scope| {
        for (number, handler) in handlers.iter().enumerate() {
            // Each handler gets the same items, in another order.
            scope.spawn(move || {
                let item = UnrepliedContent::builder("Visitor15", now);
                let item = |number: i32| item.clone().message_content(number.to_string()).build();
                let mut items: Vec<_> = (0..50).map(item).collect();
                items.rotate_left(number * 13);
                assert_eq!(handler.post_signed(payload(items).to_vec()), 200);
            });
        }
    });
    assert_eq!(inbox.rows().len(), 50);
    handlers[0].eventually_done();
    let worked = |handler: &Handler| {
        let lines = handler.lines.lock().unwrap();
        lines.iter().filter(|line| line.starts_with("working on ")).count()
    };
    // A handler prints the line of a row before the row is done. But the thread that collects the lines may read the
    // line after the row is done, so the test waits.
    let start = Instant::now();
    while handlers.iter().map(worked).sum::<usize>() < 50 {
        assert!(start.elapsed() < PATIENCE, "the work is never printed");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(handlers.iter().map(worked).sum::<usize>(), 50);
}

#[test]
fn lambda_takes_every_kind_of_request() {
    let Some(server) = Server::start("lambda") else { return };
    let handler = Handler::start_on_lambda(&lambda::build(), &Inbox::Postgres(server.url()), false);
    takes_every_kind_of_request(&handler);
}

#[test]
fn lambda_takes_every_kind_of_request_in_base64() {
    let Some(server) = Server::start("lambda_base64") else { return };
    let handler = Handler::start_on_lambda(&lambda::build(), &Inbox::Postgres(server.url()), true);
    takes_every_kind_of_request(&handler);
}

#[test]
fn the_readme_shows_the_handler_with_axum_and_sqlite() {
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&format!("```rust\n{}```\n", include_str!("../../../src/guide/handlers/axum_sqlite.rs"))));
}
