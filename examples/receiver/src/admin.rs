//! What operators look at, on a port of its own: metrics, health, and a page.
//!
//! There is no login. The page shows nothing that a visitor wrote before the operator asks for a body. `guard` keeps
//! other sites from using the page through the browser of an operator.

mod guard;
mod page;
mod view;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::map_request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, get_service};
use prometheus_client::encoding::prometheus_text;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::server::Port;
use crate::store::Trouble;
use crate::timings::Timings;
use crate::{Error, connections};

/// How many connections may be open.
const MAX_CONNECTIONS: usize = 32;
/// How many questions of operators the inbox answers at a time.
const MAX_QUESTIONS: usize = 2;

/// Listens on the address. Says so in the log, and warns if other machines can reach it.
pub async fn listen(address: &str, metrics: &Metrics) -> Result<Port, Error> {
    let cannot_listen = |error| format!("cannot listen on {address}: {error}");
    let listener = connections::listen(address).await.map_err(cannot_listen)?;
    let local = listener.local_addr()?;
    tracing::info!("the page for operators is at http://{local}/");
    if !local.ip().is_loopback() {
        tracing::warn!("other machines may reach the page for operators, which has no login");
    }
    Ok(Port { listener, most: MAX_CONNECTIONS, open: metrics.connections("admin") })
}

/// The routes of the port for operators. `deliveries` has the routes of the port for deliveries: `/healthz` is the
/// same on both ports.
pub fn router(address: &str, deliveries: Router, inbox: Inbox, timings: Arc<Timings>) -> Router {
    let questions = Arc::new(Semaphore::new(MAX_QUESTIONS));
    let admin = Admin { inbox, timings, questions };
    page::routes(guard::Guard::new(address))
        .route("/metrics", get(metrics))
        .route("/healthz", get_service(deliveries).layer(map_request(as_from_outside)))
        .with_state(admin)
}

#[derive(Clone)]
struct Admin {
    inbox: Inbox,
    timings: Arc<Timings>,
    /// Limits the questions of operators, so that deliveries do not wait for them.
    questions: Arc<Semaphore>,
}

impl Admin {
    /// Asks the inbox something, and waits only for a while.
    async fn ask<T>(&self, question: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        let limit = self.timings.write;
        let slow = |_| Trouble::Away(format!("the inbox did not answer within {limit:?}"));
        let ask = async {
            let _one_of_few = self.questions.acquire().await;
            question.await
        };
        timeout(limit, ask).await.map_err(slow)?
    }
}

/// Removes the path of this route, so that the inner router can set it. Otherwise the log would show the path twice.
async fn as_from_outside(mut request: Request) -> Request {
    request.extensions_mut().remove::<MatchedPath>();
    request
}

/// Answers with the counters even if the inbox does not answer.
async fn metrics(State(admin): State<Admin>) -> Response {
    let standings = admin.ask(admin.inbox.store.overview()).await;
    if let Err(trouble) = &standings {
        tracing::warn!("the metrics lack the rows: {trouble}");
    }
    match admin.inbox.metrics.write(standings.ok()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
