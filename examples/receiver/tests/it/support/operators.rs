//! A receiver with the port for operators.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use super::{PATIENCE, Receiver, client, eventually, rest};

pub struct Operators {
    pub receiver: Receiver,
    pub address: String,
}

impl Operators {
    pub fn start(folder: &Path, mut command: Command) -> Self {
        command.env("ADMIN_ADDR", "127.0.0.1:0");
        let receiver = Receiver::spawn(folder, command);
        let mut address = None;
        eventually("the page has an address", || {
            let log = receiver.log();
            let line = log.lines().find_map(|line| line.split_once("the page for operators is at http://"));
            address = line.map(|(_, address)| address.trim_end_matches('/').to_owned());
            address.is_some()
        });
        Self { receiver, address: address.unwrap() }
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let mut response = client().get(format!("http://{}{path}", self.address)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    pub fn metrics(&self) -> String {
        let (status, metrics) = self.get("/metrics");
        assert_eq!(status, 200, "{metrics}");
        metrics
    }

    /// The whole answer to a request with just these headers.
    pub fn ask(&self, request: &str, headers: &[&str]) -> String {
        let first = format!("{request} HTTP/1.1");
        let lines = [&[first.as_str()], headers, &["Connection: close", "", ""]].concat();
        rest(self.begin(&lines.join("\r\n")))
    }

    /// A connection on which this part of a request has been sent.
    pub fn begin(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Presses a button of the page, as a browser does.
    pub fn press(&self, action: &str) -> String {
        let host = format!("Host: {}", self.address);
        self.ask(&format!("POST {action}"), &[&host, "Sec-Fetch-Site: same-origin", "Content-Length: 0"])
    }
}
