//! A connection between the receiver and its database that a test can cut.

use std::io::{Read, Write};
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
            for stream in self.streams.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
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
