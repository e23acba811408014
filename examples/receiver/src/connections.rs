//! The connections. Their number is limited. When all places are taken, an old connection gives way to a new one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::server::MAX_HEAD;
use crate::timings::Timings;

const MAX_CONNECTIONS: usize = 512;
/// How many connections wait in the system for a place. With the usual 128, a client would have to try again, which
/// takes a second.
const BACKLOG: u32 = 4_096;
/// How many open files are left for the database, the channels and the work.
const OTHER_FILES: usize = 256;
/// How long a connection keeps its place in any case. This is enough for a request that the client sends at once, and
/// for its answer.
const MIN_AGE: Duration = Duration::from_millis(500);
/// The time between two looks for a connection that can give way.
const LOOK: Duration = Duration::from_millis(20);
/// The shortest time between two warnings that all places are taken.
const QUIET: Duration = Duration::from_secs(60);
/// How much of a request is read after its answer.
const MAX_UNREAD: u64 = 16 * 1024 * 1024;

/// The place of a connection. Each request of the connection carries it.
#[derive(Debug)]
pub struct Place {
    accepted: Instant,
    state: Mutex<State>,
    /// Whether a part of the last request has not been read.
    unread: AtomicBool,
    /// Cancelled when the connection has to give way.
    over: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    /// When the connection last brought a delivery with a valid signature.
    verified: Option<Instant>,
    /// Whether a delivery with a valid signature waits for the inbox now.
    waits: bool,
}

impl Place {
    fn new() -> Self {
        let (state, unread, over) = (Mutex::default(), AtomicBool::new(false), CancellationToken::new());
        Self { accepted: Instant::now(), state, unread, over }
    }

    /// Notes that the last request has been read to its end.
    pub fn note_read(&self) {
        self.unread.store(false, Ordering::Relaxed);
    }

    /// Notes that a delivery with a valid signature has arrived. The connection does not give way until the guard is
    /// dropped.
    pub fn verified(self: Arc<Self>) -> Waiting {
        self.state().waits = true;
        Waiting(self)
    }

    /// The state is valid even if a thread has panicked while it held the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection with the lowest rank gives way first. A connection without a rank does not give way.
    fn rank(&self) -> Option<(Option<Instant>, Instant)> {
        let state = self.state();
        (!state.waits).then_some((state.verified, self.accepted))
    }
}

/// A delivery with a valid signature that waits for the inbox.
#[derive(Debug)]
pub struct Waiting(Arc<Place>);

impl Drop for Waiting {
    fn drop(&mut self) {
        *self.0.state() = State { verified: Some(Instant::now()), waits: false };
    }
}

#[derive(Clone)]
struct Places {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<u64, Arc<Place>>>>,
}

impl Places {
    fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), taken: Arc::default() }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, Arc<Place>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection that has brought no verified delivery for the longest time. Connections that never brought
    /// one go first. If the chosen connection is too young, no connection is ended.
    fn make_room(&self) {
        let mut taken = self.taken();
        let lowest = taken.iter().filter_map(|(&number, place)| Some((place.rank()?, number))).min();
        let Some(((verified, accepted), number)) = lowest else { return };
        if verified.unwrap_or(accepted).elapsed() >= MIN_AGE
            && let Some(place) = taken.remove(&number)
        {
            place.over.cancel();
        }
    }

    /// Waits for a place. If all are taken, another connection gives way.
    async fn find(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                return Some(permit);
            }
            self.make_room();
            if let Ok(permit) = timeout(LOOK, Arc::clone(&self.free).acquire_owned()).await {
                return permit.ok();
            }
        }
    }
}

/// A connection that is served. Gives its place back when it ends, also after a panic.
struct Held {
    places: Places,
    number: u64,
    open: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.places.taken().remove(&self.number);
        self.open.dec();
    }
}

/// How many of `wanted` connections the limit of open files allows. Raises this limit if the system allows it.
fn most(wanted: usize) -> usize {
    let files = rlimit::increase_nofile_limit((MAX_CONNECTIONS + OTHER_FILES) as u64).unwrap_or(u64::MAX);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    // With very few files, half of them are for connections.
    let most = files.saturating_sub(OTHER_FILES).max(files / 2).clamp(1, wanted);
    if most < wanted {
        tracing::warn!("only {most} connections are served at a time, because only {files} files may be open");
    }
    most
}

/// Listens on an address, such as `127.0.0.1:3000`.
pub async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut problem = ErrorKind::AddrNotAvailable.into();
    for address in lookup_host(address).await? {
        let listen = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            // Without this option, the port of a receiver that has just ended could not be used for a while.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        };
        match listen() {
            Ok(listener) => return Ok(listener),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

/// Where connections arrive.
#[derive(Debug)]
pub struct Port {
    pub(crate) listener: TcpListener,
    /// How many connections may be open.
    pub(crate) most: usize,
    /// How many connections are open.
    pub(crate) open: Gauge,
}

impl Port {
    /// A port for deliveries.
    #[must_use]
    pub fn new(listener: TcpListener) -> Self {
        Self { listener, most: MAX_CONNECTIONS, open: Gauge::default() }
    }
}

/// Serves until `stop`. Unlike `axum::serve`, limits the number of connections and their time. After `stop`, a
/// connection has `Timings::grace` to end, and the rest of a request that was answered early may take as long again.
pub async fn serve(
    Port { listener, most: wanted, open }: Port,
    router: Router,
    timings: &Timings,
    stop: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(timings.read).max_buf_size(MAX_HEAD);
    let most = most(wanted);
    let places = Places::new(most);
    let limits = Limits { http, age: timings.age, grace: timings.grace, stop: stop.clone() };
    let accept = async {
        let mut warned: Option<Instant> = None;
        for number in 0.. {
            let stream = accept(&listener, &places).await;
            if places.free.available_permits() == 0 && warned.is_none_or(|last| last.elapsed() >= QUIET) {
                tracing::warn!("all {most} connections are taken: those that have brought no delivery give way");
                warned = Some(Instant::now());
            }
            let Some(permit) = places.find().await else { return };
            let place = Arc::new(Place::new());
            places.taken().insert(number, Arc::clone(&place));
            open.inc();
            let held = Held { places: places.clone(), number, open: open.clone(), _permit: permit };
            let (router, limits) = (router.clone(), limits.clone());
            tokio::spawn(async move {
                let _held = held;
                place.over.run_until_cancelled(limits.converse(stream, router, &place)).await;
            });
        }
    };
    stop.run_until_cancelled(accept).await;
    drop(listener);
    // All connections have ended once all permits are back.
    let _ = places.free.acquire_many(u32::try_from(most).unwrap_or(u32::MAX)).await;
}

/// Waits for the next connection. If no more files may be open, another connection gives way.
async fn accept(listener: &TcpListener, places: &Places) -> TcpStream {
    let mut is_known = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client has given up.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                if !std::mem::replace(&mut is_known, true) {
                    tracing::error!("no connection can be accepted: {error}");
                }
                places.make_room();
                sleep(LOOK).await;
            }
        }
    }
}

#[derive(Clone)]
struct Limits {
    http: http1::Builder,
    age: Duration,
    grace: Duration,
    stop: CancellationToken,
}

impl Limits {
    async fn converse(&self, stream: TcpStream, router: Router, place: &Arc<Place>) {
        let router = TowerToHyperService::new(router);
        let service = service_fn(|mut request: Request<Incoming>| {
            place.unread.store(!request.body().is_end_stream(), Ordering::Relaxed);
            request.extensions_mut().insert(Arc::clone(place));
            let answered = router.call(request);
            Box::pin(async move {
                let mut answer = answered.await?;
                if place.unread.load(Ordering::Relaxed) {
                    // A proxy in front then sends its next request on another connection.
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            })
        });
        let mut connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut ended = tokio::select! {
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(ended),
            () = self.stop.cancelled() => None,
            () = sleep(self.age) => None,
        };
        if ended.is_none() {
            Pin::new(&mut connection).graceful_shutdown();
            let last = poll_fn(|context| connection.poll_without_shutdown(context));
            ended = timeout(self.grace, last).await.ok();
        }
        let Some(ended) = ended else { return };
        if place.unread.load(Ordering::Relaxed) || ended.is_err_and(|error| error.is_parse()) {
            let rest = read_rest(connection.into_parts().io.into_inner());
            let _ = timeout(self.grace, rest).await;
        }
    }
}

/// Reads what the client still sends after the answer. If the receiver closed the connection earlier, the system would
/// reset the connection, and the client might never see the answer.
async fn read_rest(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    copy(&mut stream.take(MAX_UNREAD), &mut sink()).await.map(drop)
}
