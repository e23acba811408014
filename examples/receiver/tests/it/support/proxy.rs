//! Two proxies: one between the receiver and PostgreSQL, which a test can cut, and one for the messages to channels.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Clone, Copy, PartialEq)]
pub enum Link {
    /// Passes everything on.
    Up,
    /// Passes nothing on, and closes nothing, as if a cable was pulled.
    Silent,
    /// Closes every connection.
    Down,
}

#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    link: Arc<(Mutex<Link>, Condvar)>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            link: Arc::new((Mutex::new(Link::Up), Condvar::new())),
            streams: Arc::default(),
        };
        let this = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let this = this.clone();
                thread::spawn(move || this.pass(client.unwrap(), port));
            }
        });
        proxy
    }

    pub fn set(&self, link: Link) {
        *self.link.0.lock().unwrap() = link;
        self.link.1.notify_all();
        if link == Link::Down {
            self.cut();
        }
    }

    /// Closes the connections that are open. New connections are passed on.
    pub fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits while the link is silent. Returns whether it is up.
    fn is_up(&self) -> bool {
        let link = self.link.1.wait_while(self.link.0.lock().unwrap(), |link| *link == Link::Silent).unwrap();
        *link == Link::Up
    }

    fn pass(&self, client: TcpStream, port: u16) {
        if !self.is_up() {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
        let streams = [&client, &server].map(|stream| stream.try_clone().unwrap());
        self.streams.lock().unwrap().extend(streams);
        let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let this = self.clone();
        thread::spawn(move || this.copy(back, forth));
        self.copy(client, server);
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length) = from.read(&mut bytes) {
            if length == 0 || !self.is_up() || to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

/// A proxy for `CONNECT`. It notes the heads of the requests.
pub struct HttpProxy {
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl HttpProxy {
    /// With `passes`, the proxy connects its clients. Without it, the proxy refuses them.
    pub fn start(passes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap().to_string(), heads: Arc::default() };
        let heads = Arc::clone(&proxy.heads);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, heads) = (client.unwrap(), Arc::clone(&heads));
                thread::spawn(move || connect(client, passes, &heads));
            }
        });
        proxy
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn connect(mut client: TcpStream, passes: bool, heads: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    heads.lock().unwrap().push(head);
    if !passes {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
    }
    let mut target = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut to_client, mut from_target) = (client.try_clone()?, target.try_clone()?);
    thread::spawn(move || io::copy(&mut from_target, &mut to_client));
    io::copy(&mut client, &mut target).map(drop)
}
