//! Measures the receiver on SQLite and on PostgreSQL: deliveries per second, the slowest answer, how many items per
//! second are then worked on, memory, and the time to stop.
//!
//! ```sh
//! cargo bench -p receiver --bench load
//! ```
//!
//! The clients and PostgreSQL run on the same machine and take their share of it. The rival is the same server with a
//! handler that only verifies and decodes. The difference between the two is the cost of keeping a delivery. Without
//! PostgreSQL on the machine, only SQLite is measured.

#[path = "../tests/it/support/server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod server;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Extension, Router};
use receiver::Timings;
use receiver::server::{Place, Port};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use twt_chat_webhooks::signature::SIGNATURE_HEADER;
use twt_chat_webhooks::{AppSecret, Verifier, fixtures};

const SECRET: &str = "s3cret of example.com";
const TIME: Duration = Duration::from_secs(5);
const PATH: &str = "/webhooks/twt-chat";
const RIVAL: &str = "LOAD_RIVAL";

fn main() {
    if env::var_os(RIVAL).is_some() {
        return rival();
    }
    // The defaults of PostgreSQL: each commit waits for the disk.
    let postgres = server::Server::start("");
    println!("clients | deliveries a second | slowest answer | items worked on a second afterwards");
    for clients in [1, 16, 64] {
        println!("only verify and decode");
        let mut rival = [Server::rival()];
        let Load { rate, slowest } = deliver(&rival, clients, TIME);
        println!("{clients:7} | {rate:19} | {slowest:>14.1?} |");
        rival[0].stop();
        println!("SQLite");
        measure(&Inbox::sqlite(), 1, clients);
        if let Some(postgres) = &postgres {
            println!("PostgreSQL");
            measure(&Inbox::postgres(postgres), 1, clients);
            println!("PostgreSQL, two receivers");
            measure(&Inbox::postgres(postgres), 2, clients);
        }
    }

    for (database, inbox) in [("SQLite", Some(Inbox::sqlite())), ("PostgreSQL", postgres.as_ref().map(Inbox::postgres))]
    {
        let Some(inbox) = inbox else { continue };
        let mut server = Server::receiver(&inbox);
        println!("\nmemory of a receiver on {database} (`VmRSS`)\nat rest: {} KiB", server.memory());
        deliver(std::slice::from_ref(&server), 64, TIME);
        println!("after {TIME:?} with 64 clients: {} KiB", server.memory());
        server.stop();
    }
    for (what, request) in [
        ("in the head", "POST /webhooks/twt-chat HTTP/1.1\r\nHost: ex".to_owned()),
        ("at the end of a body of 256 KiB", head(&"0".repeat(64), 256 * 1024) + &" ".repeat(256 * 1024 - 1)),
    ] {
        let mut server = Server::receiver(&Inbox::sqlite());
        let stalled: Vec<_> = (0..512)
            .map(|_| {
                let mut stream = TcpStream::connect(&server.address).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                stream
            })
            .collect();
        // The memory stops growing when the receiver has read what has been sent.
        let mut memory = 0;
        while server.memory() > memory {
            memory = server.memory();
            thread::sleep(Duration::from_millis(500));
        }
        println!("with 512 clients that stall {what}: {memory} KiB; stopped in {:.1?}", server.stop());
        drop(stalled);
    }
}

/// Delivers to the receivers of one inbox for `TIME`, and then waits until all items are worked on.
fn measure(inbox: &Inbox, receivers: usize, clients: usize) {
    let mut receivers: Vec<_> = (0..receivers).map(|_| Server::receiver(inbox)).collect();
    let Load { rate, slowest } = deliver(&receivers, clients, TIME);
    let (start, left) = (Instant::now(), inbox.waiting());
    while inbox.waiting() > 0 {
        thread::sleep(Duration::from_millis(50));
    }
    let worked_on = match left {
        0..100 => "nothing was left".to_owned(),
        left => format!("{} ({left} were left)", i128::from(left) * 1_000 / start.elapsed().as_millis().cast_signed()),
    };
    println!("{clients:7} | {rate:19} | {slowest:>14.1?} | {worked_on}");
    for receiver in &mut receivers {
        receiver.stop();
    }
}

/// A new, empty inbox.
enum Inbox {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Inbox {
    fn sqlite() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("load");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self::Sqlite(folder.join("inbox.sqlite3"))
    }

    fn postgres(server: &server::Server) -> Self {
        static DATABASES: AtomicU64 = AtomicU64::new(0);
        let name = format!("load{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        query(&server.url("postgres"), &format!("CREATE DATABASE {name}"));
        Self::Postgres(server.url(&name))
    }

    fn setting(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => url.clone(),
        }
    }

    fn waiting(&self) -> i64 {
        match self {
            Self::Sqlite(path) => {
                let waiting = "SELECT count(*) FROM item WHERE state = 'waiting'";
                rusqlite::Connection::open(path).unwrap().query_row(waiting, [], |row| row.get(0)).unwrap()
            }
            Self::Postgres(url) => query(url, "SELECT count(*) FROM twt_chat.item WHERE state = 'waiting'"),
        }
    }
}

/// Runs a statement, and returns the number in its first row.
fn query(url: &str, sql: &str) -> i64 {
    Runtime::new().unwrap().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query(sql, &[]).await.unwrap().first().map_or(0, |row| row.get(0))
    })
}

/// A server that keeps nothing.
fn rival() {
    Runtime::new().unwrap().block_on(async {
        let verifier = Verifier::new(AppSecret::new(SECRET).unwrap());
        let receive = move |Extension(place): Extension<Arc<Place>>, headers: HeaderMap, body: Bytes| async move {
            place.note_read();
            let signature = headers.get(SIGNATURE_HEADER).map(AsRef::as_ref);
            match verifier.decode_partial(&body, signature) {
                Ok(_) => StatusCode::OK,
                Err(_) => StatusCode::FORBIDDEN,
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("listening on {}", listener.local_addr().unwrap());
        receiver::server::serve(
            Port::new(listener),
            Router::new().route(PATH, post(receive)),
            &Timings::default(),
            CancellationToken::new(),
        )
        .await;
    });
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn receiver(inbox: &Inbox) -> Self {
        Self::start(Command::new(env!("CARGO_BIN_EXE_receiver")).env("INBOX", inbox.setting()))
    }

    fn rival() -> Self {
        Self::start(Command::new(env::current_exe().unwrap()).env(RIVAL, "1"))
    }

    fn start(command: &mut Command) -> Self {
        let command = command.env("TWT_APP_SECRET", SECRET).env("ADDR", "127.0.0.1:0").env_remove("SLACK_WEBHOOK_URL");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        let address = line.trim_end().rsplit_once("listening on ").unwrap().1.to_owned();
        Self { child, address }
    }

    /// The resident memory in KiB (`VmRSS`).
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn stop(&mut self) -> Duration {
        let start = Instant::now();
        let signalled = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(signalled.success());
        self.child.wait().unwrap();
        start.elapsed()
    }
}

struct Load {
    /// Deliveries per second.
    rate: u128,
    slowest: Duration,
}

/// Delivers new items for this time.
fn deliver(servers: &[Server], clients: usize, time: Duration) -> Load {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (answered, slowest, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let secret = AppSecret::new(SECRET).unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        for client in 0..clients {
            let server = &servers[client % servers.len()];
            let (answered, slowest, over, secret) = (&answered, &slowest, &over, &secret);
            scope.spawn(move || {
                let mut stream = BufReader::new(TcpStream::connect(&server.address).unwrap());
                stream.get_ref().set_nodelay(true).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let visitor = format!("Visitor{}", NUMBER.fetch_add(1, Ordering::Relaxed));
                    let body = fixtures::UNREPLIED.replace("Visitor15", &visitor);
                    let head = head(&secret.sign(body.as_bytes()).to_string(), body.len());
                    let start = Instant::now();
                    stream.get_mut().write_all((head + &body).as_bytes()).unwrap();
                    assert_eq!(status(&mut stream), "200");
                    slowest.fetch_max(start.elapsed().as_micros().try_into().unwrap(), Ordering::Relaxed);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
    });
    let rate = u128::from(answered.into_inner()) * 1_000 / start.elapsed().as_millis();
    Load { rate, slowest: Duration::from_micros(slowest.into_inner()) }
}

fn head(signature: &str, length: usize) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: example.com\r\nX-Chat-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Reads an answer, and returns its status.
fn status(stream: &mut BufReader<TcpStream>) -> String {
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    for line in head.lines() {
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    head[9..12].to_owned()
}
