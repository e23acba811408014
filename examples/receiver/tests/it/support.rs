//! A receiver in a process of its own, and clients for it.

mod channel;
mod database;
mod operators;
mod proxy;
mod server;

pub use self::channel::*;
pub use self::database::*;
pub use self::operators::Operators;
pub use self::proxy::*;
pub use self::server::{Server, leave_out};

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use twt_chat_webhooks::{AppSecret, Payload, Timestamp, UnrepliedContent, fixtures};

pub const PATH: &str = "/webhooks/twt-chat";
pub const SECRET: &str = "s3cret of example.com";
/// An address that ends a receiver with status 1 if its settings are not refused.
pub const NOWHERE: &str = "192.0.2.1:1";

/// How long [`eventually`] waits before a test fails. It is long, because a busy machine can be slow.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Times for a machine that is busy, in milliseconds. A test that waits for one of these times sets a short one.
const PATIENT: &str = "read=300000 write=300000 age=300000 answer=300000 work=600000 busy=250000 silence=300000 \
    statement=250000 idle=300000";
/// `PATIENT` does not change the pauses, so they are the real ones. `SHORT_PAUSES` makes them shorter.
pub const SHORT_PAUSES: &str = "work_pauses=20,40,60,80";

/// Sets times for a command, such as `read=500`, after those of `PATIENT`.
pub fn with_timings(command: &mut Command, timings: &str) {
    command.env("TIMINGS", format!("{PATIENT} {timings}"));
}

pub fn secret() -> AppSecret {
    AppSecret::new(SECRET).unwrap()
}

/// Waits until a condition holds.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    // Many tests wait at the same time, and each look takes a process or a connection. So the looks become rarer.
    let mut pause = Duration::from_millis(10);
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// An event with one message of this visitor. At the first push, the time in the envelope is 5 minutes after the time
/// of the message. Each further push adds 5 minutes.
pub fn message(visitor: &str, text: &str, push_times: u32) -> Payload {
    let message = UnrepliedContent::builder(visitor, Timestamp::from_unix(1_765_439_652).unwrap())
        .subject("New Conversation")
        .property_name("test")
        .message_content(text)
        .push_times(push_times)
        .build();
    let sent_at = Timestamp::from_unix(1_765_439_652 + 300 * i64::from(push_times)).unwrap();
    Payload::new(sent_at, "58946f5f583edd94f5cf87e3534d04fb", message)
}

/// A body with a name and a text of the visitor that the tests can look for in answers and logs. The number has more
/// digits than any part of a time in the log.
pub fn telling_body() -> String {
    fixtures::UNREPLIED.replace("Visitor15", "Visitor-Ada").replace(r#""1","#, r#""my PIN is 47114711","#)
}

/// The command `receiver`, with only the variables that the tests set. A proxy variable from outside would send the
/// messages to that proxy.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_receiver-under-test"));
    command.env_clear();
    command
        .current_dir(folder)
        .env("TWT_APP_SECRET", SECRET)
        .env("ADDR", "127.0.0.1:0")
        .env("INBOX", inbox(folder))
        .env("WORK", folder.join("work"))
        .env("TIMINGS", PATIENT)
        .stdin(Stdio::null());
    command
}

pub struct Receiver {
    child: Child,
    pub address: String,
    log: Arc<Mutex<String>>,
    /// Reads the log to its end.
    reader: Option<JoinHandle<()>>,
    pub folder: PathBuf,
}

impl Receiver {
    pub fn start() -> Self {
        Self::start_in(&folder())
    }

    pub fn start_in(folder: &Path) -> Self {
        Self::spawn(folder, command(folder))
    }

    pub fn start_with(timings: &str) -> Self {
        let folder = folder();
        let mut command = command(&folder);
        with_timings(&mut command, timings);
        Self::spawn(&folder, command)
    }

    pub fn spawn(folder: &Path, command: Command) -> Self {
        let (mut receiver, mut lines) = Self::spawn_unread(folder, command);
        let log = Arc::clone(&receiver.log);
        receiver.reader = Some(thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap() > 0 {
                log.lock().unwrap().push_str(&line);
                line.clear();
            }
        }));
        receiver
    }

    /// Reads the log up to the address, and leaves the rest to the caller.
    pub fn spawn_unread(folder: &Path, mut command: Command) -> (Self, BufReader<PipeReader>) {
        // Standard output goes to the same pipe, as after `2>&1 |` in a shell.
        let (lines, pipe) = io::pipe().unwrap();
        let child = command.stdout(pipe.try_clone().unwrap()).stderr(pipe).spawn().unwrap();
        drop(command);
        let mut lines = BufReader::new(lines);
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let address = first.trim_end().rsplit_once("listening on ").expect(&first).1;
        // In a JSON log, the address stands in quotes.
        let address = address.trim_end_matches(['"', '}']).to_owned();
        (Self { child, address, log: Arc::default(), reader: None, folder: folder.to_owned() }, lines)
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains a text. A request can be answered before the test has read the line about it.
    #[track_caller]
    pub fn logs(&self, text: &str) {
        eventually(&format!("the log contains {text:?}"), || self.log().contains(text));
    }

    pub fn post(&self, body: impl AsRef<[u8]>, signature: Option<&str>) -> (u16, String) {
        post(&self.address, body.as_ref(), signature)
    }

    /// Posts a body, with the signature that the platform gives it.
    pub fn deliver(&self, body: impl AsRef<[u8]>) -> u16 {
        let signature = secret().sign(body.as_ref()).to_string();
        self.post(body, Some(&signature)).0
    }

    /// Delivers a body until the answer is 200, as the platform does. A receiver with short times may answer 503 while
    /// the machine is busy.
    pub fn deliver_until_kept(&self, body: impl AsRef<[u8]>) {
        eventually("the delivery is kept", || self.deliver(body.as_ref()) == 200);
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let mut response = client().get(format!("http://{}{path}", self.address)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// A connection on which this part of a request has been sent.
    pub fn begin(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    pub fn list(&self) -> Vec<Value> {
        list(&self.folder)
    }

    /// Waits until the row with this ID is in this state, and returns what `list` says about it.
    pub fn row(&self, id: i64, state: &str) -> Value {
        let condition = match state {
            "in work" => format!("id = {id} AND owner IS NOT NULL"),
            _ => format!("id = {id} AND owner IS NULL AND state = '{state}'"),
        };
        let mut found = None;
        eventually(&format!("row {id} is {state}"), || {
            // A query is cheaper than a process, so `list` runs only when there is something to find.
            if count(&self.folder, &condition) == 1 {
                found = self.list().into_iter().find(|row| row["id"] == id && row["state"] == state);
            }
            found.is_some()
        });
        found.unwrap()
    }

    pub fn all_done(&self) {
        eventually("all is done", || count(&self.folder, "state <> 'done'") == 0);
    }

    pub fn worked_on(&self) -> Vec<String> {
        worked_on(&self.folder)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Stops all threads. A thread in a system call stops only at the end of the call, so this function waits for each
    /// thread.
    pub fn freeze(&self) {
        self.signal("STOP");
        let is_stopped = |task: fs::DirEntry| {
            let status = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            status.rsplit_once(") ").is_none_or(|(_, fields)| fields.starts_with('T'))
        };
        eventually("all threads are stopped", || {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.process())).into_iter().flatten();
            tasks.flatten().all(is_stopped)
        });
    }

    /// Waits until the process has ended, and until the test has read all that is in the log.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the receiver has ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status.unwrap()
    }

    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Kills the receiver, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The local and the remote port of each connection that is an open file of the process.
    #[cfg(target_os = "linux")]
    pub fn connections(&self) -> Vec<(u16, u16)> {
        let files = fs::read_dir(format!("/proc/{}/fd", self.process())).unwrap();
        let open: BTreeSet<_> = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok()).collect();
        let table = fs::read_to_string(format!("/proc/{}/net/tcp", self.process())).unwrap();
        let sockets = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        // A socket in the state `0A` listens.
        let connections =
            sockets.filter(|fields| fields[3] != "0A" && open.contains(Path::new(&format!("socket:[{}]", fields[9]))));
        let port = |address: &str| u16::from_str_radix(address.rsplit_once(':').unwrap().1, 16).unwrap();
        connections.map(|fields| (port(fields[1]), port(fields[2]))).collect()
    }

    /// A figure of the process in KiB, such as `VmRSS`.
    #[cfg(target_os = "linux")]
    pub fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn client() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build().into()
}

pub fn post(address: &str, body: &[u8], signature: Option<&str>) -> (u16, String) {
    try_post(address, body, signature).unwrap()
}

/// Like [`post`], but returns an error if the receiver cuts the connection off.
pub fn try_post(address: &str, body: &[u8], signature: Option<&str>) -> Result<(u16, String), ureq::Error> {
    let mut request = client().post(format!("http://{address}{PATH}")).content_type("application/json");
    if let Some(signature) = signature {
        request = request.header("X-Chat-Signature", signature);
    }
    let mut response = request.send(body)?;
    Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
}

/// The head of a delivery whose body has this length. The signature is made up.
pub fn head(length: usize) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: example.com\r\nX-Chat-Signature: {}\r\nContent-Length: {length}\r\n\r\n",
        "0".repeat(64)
    )
}

/// All that the receiver sends until it closes the connection.
pub fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => answer,
    }
}

/// Runs the command with these arguments, and waits for its end. A command gives up after five tries to empty the log
/// of SQLite, so the pause between two tries is long.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = command(folder);
    with_timings(&mut command, "look=3000");
    command.args(arguments).output().unwrap()
}

pub fn list(folder: &Path) -> Vec<Value> {
    let text = String::from_utf8(run(folder, &["list", "--json"]).stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines that the work wrote.
pub fn worked_on(folder: &Path) -> Vec<String> {
    let lines = fs::read_to_string(folder.join("work")).unwrap_or_default();
    lines.lines().map(ToOwned::to_owned).collect()
}

/// How often the work on each item began.
pub fn beginnings(folder: &Path) -> BTreeMap<i64, usize> {
    let mut beginnings = BTreeMap::new();
    for line in worked_on(folder) {
        if let Some(rest) = line.strip_prefix("begin ") {
            let id = rest.split(' ').next().unwrap().parse().unwrap();
            *beginnings.entry(id).or_default() += 1;
        }
    }
    beginnings
}
