//! A receiver that a team can deploy: it verifies the raw bytes, decodes them, answers at once and works afterwards.
//!
//! ```sh
//! TWT_APP_SECRET=… cargo run -p receiver --features signature
//! ```
//!
//! | variable | |
//! |---|---|
//! | `TWT_APP_SECRET` | the account's `AppSecret`; required |
//! | `TWT_APP_SECRET_OLD` | the one before it, accepted as well while you rotate |
//! | `ADDR` | where to listen, `127.0.0.1:3000` if not set |
//!
//! | request | answer |
//! |---|---|
//! | `POST /webhooks/twt-chat` | 200, for an event that this version does not know, too |
//! | … without a signature, or with one that does not match | 403 |
//! | … with a body that cannot be read | 400, and the path of what is wrong |
//! | … with a body above 1 MiB | 413 |
//! | … while more than 1024 events wait to be worked on | 503 |
//! | `GET /healthz` | 200 |
//!
//! It speaks plain HTTP: TLS, and limits on slow clients, are the business of the proxy in front of it.

#![allow(clippy::std_instead_of_alloc, reason = "a server has std")]

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use std::{env, fmt};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use twt_chat_webhooks::signature::SIGNATURE_HEADER;
use twt_chat_webhooks::{AppSecret, Event, Payload, ReceiveError, Verifier};

/// The documented body has 392 bytes. A limit keeps strangers, whose signature nobody has checked yet, from filling the memory.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// How many events may wait for [`work`].
const MAX_WAITING: usize = 1024;

fn main() -> ExitCode {
    run(|name| env::var_os(name))
}

pub(crate) fn run(variable: impl Fn(&str) -> Option<OsString>) -> ExitCode {
    let verifier = match verifier(&variable) {
        Ok(verifier) => verifier,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let address = variable("ADDR").unwrap_or_else(|| "127.0.0.1:3000".into());
    let served = Runtime::new().and_then(|runtime| {
        runtime.block_on(async {
            // Before the first request, so that none is lost to a signal.
            let stop = stop_signal()?;
            let listener = TcpListener::bind(&*address.to_string_lossy()).await?;
            log(&format!("listening on {}", listener.local_addr()?));
            serve(listener, verifier, work, log, stop).await
        })
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {}: {error}", address.display());
            ExitCode::FAILURE
        }
    }
}

/// The secrets from the environment. A wrong one is found out now, not at the first request.
pub(crate) fn verifier(variable: impl Fn(&str) -> Option<OsString>) -> Result<Verifier, String> {
    let secret = |name: &str| {
        // Unset and empty are the same: what starts the server often passes on a variable that it has not got itself.
        let value = variable(name).filter(|value| !value.is_empty())?;
        Some(AppSecret::new(value.as_encoded_bytes()).map_err(|error| format!("{name}: {error}")))
    };
    let Some(current) = secret("TWT_APP_SECRET") else {
        return Err("TWT_APP_SECRET is not set: \
             start with TWT_APP_SECRET=<the AppSecret of your TWT Chat account>"
            .into());
    };
    let verifier = Verifier::new(current?);
    match secret("TWT_APP_SECRET_OLD") {
        Some(old) => Ok(verifier.also(old?)),
        None => Ok(verifier),
    }
}

/// Serves until `stop` is done; then finishes the requests that have begun, and the work on every event it has said 200 to.
pub(crate) async fn serve<W: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    verifier: Verifier,
    work: impl Fn(Payload) -> W + Send + 'static,
    log: impl Fn(&str) + Clone + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (queue, mut waiting) = mpsc::channel(MAX_WAITING);
    let router = router(verifier, queue, log.clone());
    // One event after the other, until the router is gone and the sending half of the queue with it.
    let worker = tokio::spawn(async move {
        while let Some(payload) = waiting.recv().await {
            // In a task of its own, so that a panic loses one event and not all that follow.
            if let Err(error) = tokio::spawn(work(payload)).await {
                log(if error.is_panic() {
                    "the work on an event panicked"
                } else {
                    "the work on an event was cancelled"
                });
            }
        }
    });
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    worker.await.map_err(io::Error::other)
}

/// Everything that answers. Each event that is accepted goes to `queue`, and a line for each request to `log`.
pub(crate) fn router(
    verifier: Verifier,
    queue: mpsc::Sender<Payload>,
    log: impl Fn(&str) + Clone + Send + Sync + 'static,
) -> Router {
    Router::new()
        .route("/webhooks/twt-chat", post(receive))
        .route("/healthz", get(|| async { "ok\n" }))
        // Whatever your framework: the limit must hold while the body is read, not be checked afterwards.
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(move |request, next| log_request(log.clone(), request, next)))
        .with_state(Receiver { verifier: Arc::new(verifier), queue })
}

#[derive(Clone)]
struct Receiver {
    verifier: Arc<Verifier>,
    queue: mpsc::Sender<Payload>,
}

/// Takes the body as `Bytes`. In another framework, take whatever is the request's bytes before anything has looked at them:
/// `web::Bytes` in actix-web, `event.body` of a Lambda after undoing `isBase64Encoded`, `request.bytes()` in a Worker.
/// `Json<Payload>` would decode a body that nobody has verified, and leave nothing to verify.
///
/// The `Content-Type` is not checked: the signature says more.
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    // As bytes: a header need not be text.
    let signature = headers.get(SIGNATURE_HEADER).map(HeaderValue::as_bytes);
    // At most 1 MiB takes milliseconds, so it may run here; what waits or computes for long must not.
    let (secret, payload) = match open(&receiver.verifier, &body, signature) {
        Ok(opened) => opened,
        Err(error) => {
            // Safe to show and to log: the text of an error holds nothing from the body but documented names.
            let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
            return (status, Extension(Note(error.to_string())), format!("{error}\n")).into_response();
        }
    };

    let key = if secret == 0 { "" } else { ", signed with the old secret" };
    let note = Note(format!("{}{key}", Summary(&payload.event)));
    // The platform waits 5 seconds for the answer and sends the event again if there is none, so the work comes after the
    // answer. If it piles up, 503 makes the platform keep the event for us.
    match receiver.queue.try_send(payload) {
        Ok(()) => (StatusCode::OK, Extension(note)).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Extension(note), "busy\n").into_response(),
    }
}

/// [`Verifier::decode`] in two steps, to know which secret it was.
fn open(verifier: &Verifier, body: &[u8], signature: Option<&[u8]>) -> Result<(usize, Payload), ReceiveError> {
    let secret = verifier.verify(body, signature)?;
    // `Payload::from_slice_partial` instead would accept the good items of a body that has bad ones.
    Ok((secret, Payload::from_slice(body)?))
}

/// Where your own code goes.
///
/// An event can arrive twice: the platform sends it again if an answer got lost. It also repeats `UNREPLIED` by design, with
/// `push_times` one higher. `webhook_id` may name the endpoint and not the delivery, so go by the content.
///
/// Nothing but the body is signed, so who has captured a request can send it again: if that matters, begin with
/// [`Payload::check_freshness`].
async fn work(payload: Payload) {
    match payload.event {
        Event::Unreplied(_messages) => {
            // Tell the agents, see examples/relay.rs. After `is_last_push`, the platform does not remind you again.
        }
        Event::PreChatFormSubmit(_forms) => {
            // Look the visitor up before the chat begins.
        }
        Event::OfflineFormSubmit(_forms) => {
            // Open a ticket.
        }
        _ => {
            // The platform has added an event. `as_unknown` has its name and its whole content.
        }
    }
}

/// What a response tells the log and not the client.
#[derive(Clone)]
struct Note(String);

/// One line for each request, with nothing in it that a visitor or a stranger wrote as they wrote it.
async fn log_request(log: impl Fn(&str), request: Request, next: Next) -> Response {
    let start = Instant::now();
    // A path may hold control characters: unescaped, a stranger could write lines of a log.
    let line = format!("{} {}", request.method(), request.uri().path().escape_debug());
    let response = next.run(request).await;
    let note = response.extensions().get().map_or("", |Note(note)| note);
    let separator = if note.is_empty() { "" } else { ": " };
    log(&format!("{line} {} in {:.1?}{separator}{note}", response.status().as_u16(), start.elapsed()));
    response
}

/// An event in a few words, without its content.
struct Summary<'a>(&'a Event);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // Quoted and escaped, since it may be anything.
            Event::Unknown(event) => write!(formatter, "unknown event {:?}", event.name()),
            event => write!(formatter, "{}, items: {}", event.event_type(), event.contents().count()),
        }
    }
}

/// To standard error. Unlike `eprintln!`, it does not panic if nobody reads that any more.
fn log(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// SIGTERM, as supervisors send it, or Ctrl-C.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
