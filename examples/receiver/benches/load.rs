//! Measures the receiver: deliveries per second, memory, and the time to stop.
//!
//! ```sh
//! cargo bench -p receiver --features signature --bench load
//! ```
//!
//! The clients run on the same machine and take their share of it. The rival is the same server with a handler that
//! only verifies and decodes. It keeps nothing, so it shows what it costs to keep a delivery.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
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
    println!("deliveries per second, answered 200");
    println!("clients | receiver | only verify and decode");
    for clients in [1, 16, 64] {
        let rate = |mut server: Server| {
            let rate = deliver(&server, clients, TIME);
            server.stop();
            rate
        };
        println!("{clients:7} | {:8} | {:8}", rate(Server::receiver()), rate(Server::rival()));
    }

    let mut server = Server::receiver();
    println!("\nmemory of the receiver (VmRSS)\nat rest: {} KiB", server.memory());
    deliver(&server, 64, TIME);
    println!("after {TIME:?} with 64 clients: {} KiB", server.memory());
    server.stop();
    for (what, request) in [
        ("in the head", "POST /webhooks/twt-chat HTTP/1.1\r\nHost: ex".to_owned()),
        ("at the end of a body of 256 KiB", head(&"0".repeat(64), 256 * 1024) + &" ".repeat(256 * 1024 - 1)),
    ] {
        let mut server = Server::receiver();
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

/// A server that keeps nothing.
fn rival() {
    Runtime::new().unwrap().block_on(async {
        let verifier = Verifier::new(AppSecret::new(SECRET).unwrap());
        let receive = move |headers: HeaderMap, body: Bytes| async move {
            let signature = headers.get(SIGNATURE_HEADER).map(AsRef::as_ref);
            match verifier.decode_partial(&body, signature) {
                Ok(_) => StatusCode::OK,
                Err(_) => StatusCode::FORBIDDEN,
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("listening on {}", listener.local_addr().unwrap());
        receiver::server::serve(listener, Router::new().route(PATH, post(receive)), CancellationToken::new()).await;
    });
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn receiver() -> Self {
        Self::start(&mut Command::new(env!("CARGO_BIN_EXE_receiver")))
    }

    fn rival() -> Self {
        Self::start(Command::new(env::current_exe().unwrap()).env(RIVAL, "1"))
    }

    fn start(command: &mut Command) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("load");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let command = command.current_dir(&folder).env("TWT_APP_SECRET", SECRET).env("ADDR", "127.0.0.1:0");
        let mut child = command.env("INBOX", "inbox.sqlite3").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        let address = line.trim_end().rsplit_once("listening on ").unwrap().1.to_owned();
        Self { child, address }
    }

    /// In KiB.
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

/// Delivers for some time, each time a new item, and returns the rate per second.
fn deliver(server: &Server, clients: usize, time: Duration) -> u128 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (answered, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let secret = AppSecret::new(SECRET).unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut stream = BufReader::new(TcpStream::connect(&server.address).unwrap());
                stream.get_ref().set_nodelay(true).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let visitor = format!("Visitor{}", NUMBER.fetch_add(1, Ordering::Relaxed));
                    let body = fixtures::UNREPLIED.replace("Visitor15", &visitor);
                    let head = head(&secret.sign(body.as_bytes()).to_string(), body.len());
                    stream.get_mut().write_all((head + &body).as_bytes()).unwrap();
                    assert_eq!(status(&mut stream), "200");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
    });
    u128::from(answered.into_inner()) * 1_000 / start.elapsed().as_millis()
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
