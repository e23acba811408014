//! Reads and changes the inbox without the receiver. Most SQL is the same for both databases.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::{fs, thread};

use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::server::{Server, leave_out};
use super::{PATIENCE, eventually};
use crate::POSTGRES;

/// The PostgreSQL server that the tests share. It need not survive a power cut, so it runs without `fsync`. It also
/// runs without the autovacuum, which would visit the database of each test.
fn server() -> &'static Server {
    const OPTIONS: &str = "-c fsync=off -c full_page_writes=off -c autovacuum=off";
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(OPTIONS).unwrap_or_else(|| leave_out()))
}

pub fn server_port() -> u16 {
    server().port
}

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// The names of folders whose tests have ended. A later test takes the folder and its database over: a new database
/// has 300 files, and would take longer than most tests.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The names of the folders of one test, which has a thread of its own.
struct Taken(Vec<String>);

impl Drop for Taken {
    fn drop(&mut self) {
        LEFT.lock().unwrap().append(&mut self.0);
    }
}

/// An empty folder for one test, with an empty database.
pub fn folder() -> PathBuf {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static TAKEN: RefCell<Taken> = const { RefCell::new(Taken(Vec::new())) };
    }
    let left = LEFT.lock().unwrap().pop();
    let is_new = left.is_none();
    let kind = if POSTGRES { "postgres" } else { "sqlite" };
    let name = left.unwrap_or_else(|| format!("receiver_{kind}_{}", FOLDERS.fetch_add(1, Ordering::Relaxed)));
    TAKEN.with_borrow_mut(|taken| taken.0.push(name.clone()));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    if POSTGRES {
        if is_new { create_database(server(), &name) } else { empty_database(&name) }
    }
    folder
}

/// Ends all connections to the database of a test that has ended, and removes what the test left there.
fn empty_database(name: &str) {
    simple_query(&server().url("postgres"), &format!("ALTER DATABASE {name} RESET ALL"));
    let url = server().url(name);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("all connections have ended", || simple_query(&url, end).is_empty());
    simple_query(&url, "DROP SCHEMA IF EXISTS twt_chat CASCADE");
}

/// Copies the inbox on PostgreSQL from the database of one test folder to that of another.
pub fn copy_database(from: &Path, to: &Path) {
    server().copy(name(from), name(to));
}

/// The inbox of a test, for the variable `INBOX`.
pub fn inbox(folder: &Path) -> String {
    if POSTGRES { server().url(name(folder)) } else { file(folder).into_os_string().into_string().unwrap() }
}

pub fn create_database(server: &Server, name: &str) {
    simple_query(&server.url("postgres"), &format!("CREATE DATABASE {name}"));
    // The first connection to a database writes a cache of its catalog to a file, which the other connections read.
    // Without this, all connections of the receiver would build the cache at the same time.
    simple_query(&server.url(name), "SELECT 1");
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn file(folder: &Path) -> PathBuf {
    folder.join("inbox.sqlite3")
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET search_path = twt_chat").await.unwrap();
    client
}

/// Runs SQL on PostgreSQL, and returns the rows of all statements as text.
///
/// Each thread keeps one connection, because a test often asks again until an answer changes.
pub fn simple_query(url: &str, sql: &str) -> Vec<Vec<String>> {
    thread_local! {
        static KEPT: RefCell<Option<(String, Client)>> = const { RefCell::new(None) };
    }
    let kept = KEPT.take().filter(|(of, client)| of == url && !client.is_closed());
    let (messages, client) = runtime().block_on(async {
        if let Some((_, client)) = kept {
            match client.simple_query(sql).await {
                // The test has ended all connections, or the server.
                Err(error) if error.is_closed() => {}
                answer => return (answer.unwrap(), client),
            }
        }
        let client = connect(url).await;
        (client.simple_query(sql).await.unwrap(), client)
    });
    KEPT.set(Some((url.to_owned(), client)));
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    });
    rows.collect()
}

pub fn sqlite(folder: &Path) -> Connection {
    let database = Connection::open(file(folder)).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    database
}

/// Whether no process holds the write lock of SQLite. PostgreSQL has no such lock, so the answer is always yes.
pub fn can_be_written(folder: &Path) -> bool {
    let begin = || {
        let mut database = sqlite(folder);
        database.busy_timeout(std::time::Duration::from_millis(200))?;
        database.transaction_with_behavior(TransactionBehavior::Immediate).map(drop)
    };
    POSTGRES || begin().is_ok()
}

/// The rows of a query, as text.
pub fn rows(folder: &Path, sql: &str) -> Vec<Vec<String>> {
    if POSTGRES {
        return simple_query(&inbox(folder), sql);
    }
    let database = sqlite(folder);
    let mut query = database.prepare(sql).unwrap();
    let columns = query.column_count();
    let text = |value: Value| match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{bytes:?}"),
    };
    let rows = query.query_map([], |row| (0..columns).map(|column| row.get(column).map(text)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Runs statements that return no rows.
pub fn execute(folder: &Path, sql: &str) {
    if POSTGRES {
        simple_query(&inbox(folder), sql);
    } else {
        sqlite(folder).execute_batch(sql).unwrap();
    }
}

/// The number of rows for which a condition holds.
pub fn count(folder: &Path, condition: &str) -> i64 {
    count_in(folder, "item", condition)
}

pub fn count_in(folder: &Path, table: &str, condition: &str) -> i64 {
    rows(folder, &format!("SELECT count(*) FROM {table} WHERE {condition}"))[0][0].parse().unwrap()
}

/// How many statements with this part wait for a lock of PostgreSQL.
pub fn statements_that_wait(folder: &Path, part: &str) -> usize {
    let waiting = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND query LIKE '%{part}%' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
    );
    rows(folder, &waiting).len()
}

/// How many statements that keep deliveries in PostgreSQL wait for a lock.
pub fn commits_that_wait(folder: &Path) -> usize {
    statements_that_wait(folder, "WITH arrived")
}

/// An SQL expression for a number of milliseconds, in the type that the time columns of the database have.
pub fn milliseconds(number: i64) -> String {
    if POSTGRES { format!("{number} * interval '1 ms'") } else { number.to_string() }
}

/// Ends the thread that holds a lock.
struct Guard(Option<mpsc::Sender<()>>, Option<thread::JoinHandle<()>>);

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.take());
        let _ = self.1.take().unwrap().join();
    }
}

/// Lets nobody write to the inbox until the guard is dropped.
pub fn lock(folder: &Path) -> impl Drop {
    let (release, released) = mpsc::channel::<()>();
    let (locked, is_locked) = mpsc::channel();
    let folder = folder.to_owned();
    let thread = thread::spawn(move || {
        if POSTGRES {
            let client = runtime().block_on(connect(&inbox(&folder)));
            // If the lock waited for one table while it held another, it could be in a deadlock with a receiver.
            let lock = "ROLLBACK; BEGIN; LOCK TABLE record, item, version, channel NOWAIT";
            eventually("the tables are locked", || runtime().block_on(client.batch_execute(lock)).is_ok());
            locked.send(()).unwrap();
            let _ = released.recv();
            runtime().block_on(client.batch_execute("ROLLBACK")).unwrap();
        } else {
            let mut database = sqlite(&folder);
            let lock = database.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
            locked.send(()).unwrap();
            let _ = released.recv();
            drop(lock);
        }
    });
    is_locked.recv().unwrap();
    Guard(Some(release), Some(thread))
}
