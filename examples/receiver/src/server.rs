//! The server: takes deliveries into the inbox, and does not let strangers hold it up.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Extension, Router};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_http::trace::TraceLayer;
use tracing::Span;
use twt_chat_webhooks::signature::SIGNATURE_HEADER;
use twt_chat_webhooks::{Signature, SignatureError, Verifier};

use crate::delivery::Delivery;
use crate::inbox::Inbox;

/// The documented body has 392 bytes.
const MAX_BODY: usize = 256 * 1024;
const MAX_HEAD: usize = 16 * 1024;
/// How long the head of a request may take to arrive, and how long its body.
const MAX_READ: Duration = Duration::from_secs(10);
/// How long the inbox may take. The platform waits 5 s for the answer.
const MAX_WRITE: Duration = Duration::from_secs(3);
const MAX_CONNECTIONS: u32 = 512;
/// How long a connection is kept. A client that does not read its answers would keep it forever.
const MAX_AGE: Duration = Duration::from_secs(60);
/// How long running requests and work may go on once the receiver is told to stop.
pub const GRACE: Duration = Duration::from_secs(5);

/// Keeps a delivery that the platform has signed.
///
/// The bytes are verified before anything else looks at them. With `Json<Payload>` there would be nothing left to
/// verify.
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Body) -> Result<Answer, Answer> {
    let header = headers.get(SIGNATURE_HEADER).map(AsRef::as_ref);
    has_signature(header).map_err(forbidden)?;
    let slow = |_| Answer(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".into());
    let body = timeout(MAX_READ, read(body)).await.map_err(slow)??;
    let secret = receiver.verifier.verify(&body, header).map_err(forbidden)?;

    let delivery = Delivery::new(body);
    let (summary, rows) = (delivery.summary.clone(), delivery.rows.len());
    // Without an answer 200 the platform keeps the delivery and sends it again.
    let new = timeout(MAX_WRITE, receiver.inbox.keep(delivery)).await.ok().flatten().ok_or_else(unavailable)?;
    let repeated = if new < rows { format!(", repeated: {}", rows - new) } else { String::new() };
    let old = if secret > 0 { ", signed with the old secret" } else { "" };
    Ok(Answer(StatusCode::OK, format!("{summary}{repeated}{old}")))
}

/// Is answered 200 while the inbox can be written.
async fn health(State(receiver): State<Receiver>) -> Result<Answer, Answer> {
    timeout(MAX_WRITE, receiver.inbox.probe()).await.ok().flatten().ok_or_else(unavailable)?;
    Ok(Answer(StatusCode::OK, "ok".into()))
}

/// Whether the header can be a signature. If not, there is no need to read the body.
fn has_signature(header: Option<&[u8]>) -> Result<(), SignatureError> {
    let text = str::from_utf8(header.ok_or(SignatureError::Missing)?).map_err(|_| SignatureError::Malformed)?;
    text.parse::<Signature>().map(drop)
}

/// Copies the body into one buffer. A list of its frames would take more memory than the body if they are small.
async fn read(mut body: Body) -> Result<Vec<u8>, Answer> {
    let mut bytes = Vec::with_capacity(MAX_HEAD);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Answer(StatusCode::BAD_REQUEST, "the body cannot be read to its end".into()))?;
        bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
        if bytes.len() > MAX_BODY {
            return Err(Answer(StatusCode::PAYLOAD_TOO_LARGE, "the body is above 256 KiB".into()));
        }
    }
    Ok(bytes)
}

/// A status and what to say about it. The text must hold nothing that a visitor or a stranger wrote.
#[derive(Clone)]
struct Answer(StatusCode, String);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.0, Extension(self.clone()), format!("{}\n", self.1)).into_response()
    }
}

fn forbidden(error: SignatureError) -> Answer {
    Answer(StatusCode::FORBIDDEN, error.to_string())
}

fn unavailable() -> Answer {
    Answer(StatusCode::SERVICE_UNAVAILABLE, "the inbox cannot be written".into())
}

#[derive(Clone)]
struct Receiver {
    verifier: Arc<Verifier>,
    inbox: Inbox,
}

pub(crate) fn router(verifier: Verifier, inbox: Inbox) -> Router {
    let trace = TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(log).on_failure(());
    Router::new()
        .route("/webhooks/twt-chat", post(receive))
        .route("/healthz", get(health))
        .layer(trace)
        .with_state(Receiver { verifier: Arc::new(verifier), inbox })
}

/// Names the request in the log: the method if it is GET or POST, and the path if it is a route. A stranger may have
/// written any other method or path, so these are left out.
fn span(request: &Request) -> Span {
    let method = [Method::GET, Method::POST].into_iter().find(|method| method == request.method());
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    tracing::info_span!("request", method = method.map(tracing::field::display), path)
}

fn log(response: &Response, took: Duration, _: &Span) {
    let note = response.extensions().get().map_or("", |Answer(_, note)| note);
    tracing::info!("{} in {took:.1?} {note}", response.status().as_u16());
}

/// Serves until `stop`. Unlike `axum::serve`, it limits connections and their time. After `stop`, it waits for clients
/// that stall, but at most for `GRACE`.
pub async fn serve(mut listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(MAX_READ).max_buf_size(MAX_HEAD);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let accept = async {
        while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
            let (stream, _) = Listener::accept(&mut listener).await;
            let service = TowerToHyperService::new(router.clone());
            let connection = http.serve_connection(TokioIo::new(stream), service);
            let stop = stop.clone();
            tokio::spawn(async move {
                let mut connection = pin!(connection);
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = stop.cancelled() => {}
                    () = sleep(MAX_AGE) => {}
                }
                connection.as_mut().graceful_shutdown();
                let _ = timeout(GRACE, connection).await;
                drop(permit);
            });
        }
    };
    stop.run_until_cancelled(accept).await;
    drop(listener);
    // All connections have ended once all permits are back.
    let _ = connections.acquire_many(MAX_CONNECTIONS).await;
}
