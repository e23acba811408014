//! Forwarding: sends the message about an item to the webhook of a channel.

use std::fmt;
use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;
use twt_chat_webhooks::Payload;
use ureq::http::{HeaderMap, Uri, header};
use ureq::{Proxy, ProxyProtocol};

use crate::channel::{Channel, Meaning, Place, ToSign};
use crate::store::Failure;

/// How much of an answer is read. The documented answers have less than 200 bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// The webhook of a channel. Its URL and its secret are credentials, so it has no `Debug`.
pub struct Webhook {
    pub channel: Channel,
    url: Uri,
    secret: Option<String>,
    client: ureq::Agent,
    /// How long the channel may take to answer.
    limit: Duration,
}

impl Webhook {
    /// Returns `None` if `url` is not an `http` or `https` URL.
    pub fn new(channel: Channel, url: &str, secret: Option<String>, limit: Duration) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        // `Uri` and `ureq` ignore an invalid port, such as 99999. The message would then go to port 80 or 443.
        let address = url.authority()?.as_str().rsplit('@').next();
        let has_valid_port = url.port().is_some() || address == url.host();
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        let usable = is_http && has_valid_port && url.host().is_some_and(|host| !host.is_empty());
        // The client takes a proxy from the environment.
        let client = ureq::Agent::config_builder()
            .timeout_global(Some(limit))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        usable.then(|| Self { channel, url, secret, client: client.into(), limit })
    }

    /// Sends the message about an item, unless `over` is cancelled. A documented event without items has no message.
    ///
    /// A body that is kept whole can have several messages. They keep the pace of the channel too. If one of them
    /// fails, the next attempt sends all of them again.
    ///
    /// A failure contains neither the URL nor a text of the channel or of a visitor.
    pub fn send(&self, payload: &Payload, over: &CancellationToken) -> Result<(), Failure> {
        for (number, message) in self.channel.messages(payload).into_iter().enumerate() {
            if number > 0 {
                thread::sleep(self.channel.pace);
            }
            if over.is_cancelled() {
                return Err("stopped".to_owned().into());
            }
            self.post(message)?;
        }
        Ok(())
    }

    /// The proxy from the environment through which the messages go.
    fn proxy(&self) -> Option<&Proxy> {
        self.client.config().proxy().filter(|proxy| !proxy.is_no_proxy(&self.url))
    }

    fn post(&self, mut message: Value) -> Result<(), Failure> {
        let mut request = self.client.post(self.url.clone()).content_type("application/json");
        if let (Some(to_sign), Some(secret)) = (self.channel.signature, &self.secret) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let ToSign { timestamp, key, text, place } = to_sign(now, secret);
            let sign = sign(&key, &text)?;
            match place {
                Place::Body => {
                    message["timestamp"] = timestamp.into();
                    message["sign"] = sign.into();
                }
                // `query` writes the `+`, `/` and `=` of base64 as `%2B`, `%2F` and `%3D`.
                Place::Query => request = request.query("timestamp", timestamp).query("sign", sign),
            }
        }
        let mut answer = request.send(message.to_string()).map_err(|error| self.describe(error))?;
        let (status, retry_after) = (answer.status().as_u16(), retry_after(answer.headers()));
        // The body is read even if the status says enough: `ureq` keeps a connection only after the last byte of the
        // answer.
        let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        let (mut problem, is_final) = match self.channel.judge(status, body.as_deref().unwrap_or_default()) {
            Meaning::Taken => return Ok(()),
            Meaning::Refused(problem) => (problem, false),
            // A channel that asks for a pause expects the message again.
            Meaning::RefusedForGood(problem) => (problem, retry_after.is_none()),
        };
        // With status 200, the body says whether the channel has taken the message. Here the body could not be read,
        // so this error is the problem.
        if let (Err(error), 200) = (body, status) {
            problem = self.describe(error);
        }
        if let Some(pause) = retry_after {
            problem = format!("{problem}, asks for a pause of {pause:.0?}");
        }
        Err(Failure { problem, retry_after, is_final })
    }

    /// Describes an error without the texts of `ureq`, which may hold a part of the URL.
    fn describe(&self, error: ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no whole answer within {:?}", self.limit),
            ureq::Error::BodyExceedsLimit(_) => "the answer is too long".to_owned(),
            ureq::Error::HostNotFound => "the host was not found".to_owned(),
            ureq::Error::ConnectProxyFailed(_) => "the proxy refused the connection".to_owned(),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "TLS failed".to_owned(),
            ureq::Error::Io(error) => match error.kind() {
                // `rustls` reports this kind for a certificate that is not trusted, and for bytes that are not TLS.
                ErrorKind::InvalidData => "TLS failed".to_owned(),
                // The standard library has no stable kind for a name that does not resolve, only this text.
                _ if error.to_string().starts_with("failed to lookup address") => "the host was not found".to_owned(),
                kind => format!("the connection failed: {kind}"),
            },
            _ => "the answer cannot be read".to_owned(),
        }
    }
}

/// Names the channel and the proxy, for the log. Shows no credential.
impl fmt::Display for Webhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.channel.name())?;
        match self.proxy() {
            Some(proxy) => write!(formatter, " through the proxy {}:{}", proxy.host(), proxy.port()),
            None => Ok(()),
        }
    }
}

/// Whether `ureq` can use this proxy. For SOCKS, `ureq` would need another feature.
pub fn is_usable_proxy(url: &str) -> bool {
    Proxy::new(url).is_ok_and(|proxy| matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https))
}

/// An HMAC-SHA256 in base64.
fn sign(key: &str, message: &str) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|error| error.to_string())?;
    mac.update(message.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Reads `Retry-After`, which is a number of seconds or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let until_date = || httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok();
    value.parse().ok().map(Duration::from_secs).or_else(until_date)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use twt_chat_webhooks::fixtures;

    use super::*;

    #[test]
    fn the_first_message_is_sent_without_a_pause() {
        let mut channel = Channel::ALL[0];
        channel.pace = Duration::from_secs(86_400);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        // A proxy of the environment is not used.
        let client = ureq::Agent::config_builder().proxy(None).build().into();
        let webhook = Webhook { channel, url, secret: None, client, limit: Duration::from_secs(300) };
        let (sender, sent) = mpsc::channel();
        thread::spawn(move || {
            let payload = Payload::from_slice(fixtures::UNREPLIED.as_bytes()).unwrap();
            sender.send(webhook.send(&payload, &CancellationToken::new()).is_ok())
        });
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            // Keeps the connection open until the client closes it.
            let _ = io::copy(&mut stream, &mut io::sink());
        });
        assert_eq!(sent.recv_timeout(Duration::from_secs(300)), Ok(true));
    }
}
