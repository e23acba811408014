//! A server that stands for a chat channel.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::command;

/// The part of a URL that must not be shown.
pub const TOKEN: &str = "T0KEN-0f-a-channel";

/// What a channel does with a request.
#[derive(Clone)]
pub enum Answer {
    /// The documented answer to a message that the channel has taken.
    Taken,
    /// The same answer as `Taken`, after this time.
    Late(Duration),
    /// A status line with headers, and a body.
    Text(&'static str, &'static str),
    /// Nothing, for as long as the client waits.
    Never,
    /// The end of the connection.
    Closed,
    /// Status 200, a part of the body, and then the end of the connection.
    CutOff,
    /// Status 200 and a body without an end.
    Endless,
}

/// A request as it came in.
#[derive(Clone)]
pub struct Request {
    pub at: Instant,
    /// The first line and the headers.
    pub head: String,
    pub body: Value,
}

/// A server that stands for a channel. It gives its answers in turn, and repeats the last one.
pub struct StubChannel {
    pub name: &'static str,
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl StubChannel {
    pub fn start(name: &'static str, answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?access_token={TOKEN}", listener.local_addr().unwrap());
        let channel = Self {
            name,
            url,
            requests: Arc::default(),
            answers: Arc::new(Mutex::new(answers.iter().rev().cloned().collect())),
        };
        let (requests, answers) = (Arc::clone(&channel.requests), Arc::clone(&channel.answers));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (requests, answers) = (Arc::clone(&requests), Arc::clone(&answers));
                thread::spawn(move || serve(name, stream.unwrap(), &requests, &answers));
            }
        });
        channel
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The visitors of the messages, in the order in which they came.
    pub fn visitors(&self) -> Vec<String> {
        let visitor = |request: &Request| {
            let text = text(self.name, &request.body);
            text.lines().find_map(|line| line.strip_prefix("Visitor: ")).unwrap().to_owned()
        };
        self.requests().iter().map(visitor).collect()
    }

    pub fn answer(&self, answers: &[Answer]) {
        *self.answers.lock().unwrap() = answers.iter().rev().cloned().collect();
    }
}

/// Answers requests until the client closes the connection.
fn serve(name: &str, mut stream: TcpStream, requests: &Mutex<Vec<Request>>, answers: &Mutex<Vec<Answer>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut lines) {
        requests.lock().unwrap().push(request);
        let answer = {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 { answers.pop() } else { answers.last().cloned() }
        };
        let (status, body) = match answer.unwrap() {
            Answer::Taken => ("200 OK", taken(name)),
            Answer::Late(time) => {
                thread::sleep(time);
                ("200 OK", taken(name))
            }
            Answer::Text(status, body) => (status, body),
            Answer::Closed => return,
            Answer::CutOff => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok");
                return;
            }
            Answer::Never => {
                let _ = lines.read(&mut [0]);
                return;
            }
            Answer::Endless => {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                let mut written = stream.write_all(head.as_bytes());
                while written.is_ok() {
                    written = stream.write_all(b"10\r\n                \r\n");
                }
                return;
            }
        };
        // The receiver may have been killed meanwhile.
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    }
}

/// Reads a request, or `None` at the end of the connection.
fn read(lines: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    Some(Request { at: Instant::now(), head, body: serde_json::from_slice(&body).ok()? })
}

/// What a channel answers when it has taken a message.
fn taken(name: &str) -> &'static str {
    match name {
        "slack" => "ok",
        "feishu" => r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
        _ => r#"{"errcode":0,"errmsg":"ok"}"#,
    }
}

pub fn text<'a>(channel: &str, message: &'a Value) -> &'a str {
    let pointer = match channel {
        "slack" => "/text",
        "feishu" => "/content/text",
        _ => "/text/content",
    };
    message.pointer(pointer).unwrap().as_str().unwrap()
}

/// The command of a receiver that forwards to these channels.
pub fn forwarding(folder: &std::path::Path, channels: &[StubChannel]) -> std::process::Command {
    let mut command = command(folder);
    for channel in channels {
        command.env(format!("{}_WEBHOOK_URL", channel.name.to_uppercase()), &channel.url);
    }
    command
}
