//! The server: takes deliveries into the inbox. Strangers cannot hold up deliveries for long.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::trace::TraceLayer;
use tracing::Span;
use twt_chat_webhooks::signature::SIGNATURE_HEADER;
use twt_chat_webhooks::{Delivery, Signature, SignatureError, Timestamp, Verifier};

pub use crate::connections::{Place, Port, serve};
use crate::delivery::{Arrival, MAX_SMALL, apart};
use crate::inbox::Inbox;
use crate::metrics;
use crate::timings::Timings;

/// The largest body. The longest documented body has 392 bytes.
const MAX_BODY: usize = 256 * 1024;
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// How many large bodies are taken apart at a time. Each needs about 20 times its size for this.
const MAX_LARGE: usize = 2;
/// How many KiB of bodies may wait for the inbox: 64 MiB. A body with many items takes up to 16 times its size.
const MAX_WAITING: u32 = 65_536;

/// Keeps a delivery that the platform has signed.
///
/// The bytes are verified before anything else looks at them. With `Json<Payload>` there would be nothing left to
/// verify.
async fn receive(
    State(receiver): State<Receiver>,
    Extension(place): Extension<Arc<Place>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let mut event = metrics::NO_EVENT;
    let (Ok(answer) | Err(answer)) = take(&receiver, place, &headers, body, &mut event).await;
    receiver.inbox.metrics.answered(answer.0.as_u16(), event);
    answer
}

/// Takes a delivery: reads the body, verifies it and keeps its records. Sets `event` once the body is verified and
/// decoded.
async fn take(
    receiver: &Receiver,
    place: Arc<Place>,
    headers: &HeaderMap,
    body: Body,
    event: &mut &'static str,
) -> Result<Answer, Answer> {
    let header = headers.get(SIGNATURE_HEADER).map(AsRef::as_ref);
    has_signature(header).map_err(forbidden)?;
    let slow = |_| Answer(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".into());
    let body = timeout(receiver.timings.read, read(body, &place)).await.map_err(slow)??;
    let header = header.map(ToOwned::to_owned);
    // Without an answer 200 the platform keeps the delivery and sends it again.
    let kept = timeout(receiver.timings.write, keep(receiver, place, body, header, event)).await;
    let summary = kept.unwrap_or_else(|_| Err(unavailable()))?;
    Ok(Answer(StatusCode::OK, summary))
}

/// Verifies a body, takes it apart, and keeps its records. Returns what to log.
async fn keep(
    receiver: &Receiver,
    place: Arc<Place>,
    body: Vec<u8>,
    header: Option<Vec<u8>>,
    event: &mut &'static str,
) -> Result<String, Answer> {
    let size = body.len();
    let large = if size > MAX_SMALL { Arc::clone(&receiver.large).acquire_owned().await.ok() } else { None };
    let verifier = Arc::clone(&receiver.verifier);
    let decoded = apart(size, move || {
        let secret = verifier.verify(&body, header.as_deref())?;
        Ok((secret, Delivery::from_slice(&body), large))
    });
    let (secret, delivery, large) = decoded.await.ok_or_else(unavailable)?.map_err(forbidden)?;
    let _waiting = place.verified();
    *event = metrics::event(delivery.event_type());
    let summary = delivery.to_string();
    // The clock of this machine, because the age is checked before the inbox is asked. It is compared with the clock of
    // the platform, so it need not be the same as the clock of the database.
    let now = Timestamp::from(SystemTime::now());
    let fresh = receiver.timings.tolerance.map_or(Ok(()), |tolerance| delivery.check_freshness(now, tolerance));
    let stale = fresh.err().map(|error| error.to_string());
    let age = stale.as_ref().map_or(String::new(), |stale| format!(", stale: {stale}"));
    let mut arrival = Arrival { records: delivery.into_records(), stale, room: None };
    let room = u32::try_from(arrival.bytes().div_ceil(1024)).unwrap_or(MAX_WAITING).min(MAX_WAITING);
    arrival.room = Arc::clone(&receiver.waiting).acquire_many_owned(room).await.ok();
    drop(large);

    let rows = arrival.records.len();
    let new = receiver.inbox.keep(arrival).await.map_err(|_| unavailable())?;
    let repeated = if new < rows { format!(", repeated: {}", rows - new) } else { String::new() };
    let old = if secret != 0 { ", signed with the old secret" } else { "" };
    Ok(format!("{summary}{age}{repeated}{old}"))
}

/// Answers a health check: 200 while deliveries can be kept.
async fn health(State(receiver): State<Receiver>) -> Result<Answer, Answer> {
    let probed = timeout(receiver.timings.write, receiver.inbox.probe()).await;
    probed.unwrap_or(false).then_some(()).ok_or_else(unavailable)?;
    Ok(Answer(StatusCode::OK, "ok".into()))
}

/// Whether the header can be a signature. If not, there is no need to read the body.
fn has_signature(header: Option<&[u8]>) -> Result<(), SignatureError> {
    let text = str::from_utf8(header.ok_or(SignatureError::Missing)?).map_err(|_| SignatureError::Malformed)?;
    text.parse::<Signature>().map(drop)
}

/// Copies the body into one buffer. A list of small frames would take more memory than the body. If the announced
/// length is above the limit, the body is not waited for.
async fn read(mut body: Body, place: &Place) -> Result<Vec<u8>, Answer> {
    let too_large = || Answer(StatusCode::PAYLOAD_TOO_LARGE, "the body is above 256 KiB".into());
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(MAX_HEAD);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Answer(StatusCode::BAD_REQUEST, "the body cannot be read to its end".into()))?;
        bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
        if bytes.len() > MAX_BODY {
            return Err(too_large());
        }
    }
    place.note_read();
    Ok(bytes)
}

/// The status of an answer, and a text that says why. The text must hold nothing that a visitor or a stranger wrote.
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
    timings: Arc<Timings>,
    /// Limits the large bodies that are taken apart.
    large: Arc<Semaphore>,
    /// Limits the bodies that wait for the inbox.
    waiting: Arc<Semaphore>,
}

pub(crate) fn router(verifier: Verifier, inbox: Inbox, timings: Arc<Timings>) -> Router {
    let trace = TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(log).on_failure(());
    Router::new().route("/webhooks/twt-chat", post(receive)).route("/healthz", get(health)).layer(trace).with_state(
        Receiver {
            verifier: Arc::new(verifier),
            inbox,
            timings,
            large: Arc::new(Semaphore::new(MAX_LARGE)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING as usize)),
        },
    )
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
