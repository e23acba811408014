//! The page for operators: what it answers, and what its buttons do. `view` writes its HTML.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::guard::{Guard, guard};
use super::{Admin, view};
use crate::metrics::{WORK, lane_label};
use crate::store::{Retry, Row, Standing, Trouble, Which};

/// How many rows of each list the first page shows.
const MAX_PREVIEW: u32 = 10;
/// How many rows a page of one list shows.
pub const MAX_ROWS: u32 = 100;

pub fn routes(own: Guard) -> Router<Admin> {
    let style = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    Router::new()
        .route("/", get(page))
        .route("/rows/{id}", get(show))
        .route("/rows/{id}/retry", post(retry))
        .route("/rows/{id}/delete", post(delete))
        .route("/style.css", get((style, include_str!("style.css"))))
        .fallback(async || view::problem(StatusCode::NOT_FOUND, "There is no such page."))
        .layer(from_fn_with_state(own, guard))
}

/// The rows that a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listed {
    Dead,
    Waiting,
}

/// What a button did. `Nothing` means that the row was gone or in work, or that a row to retry was done already.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Done {
    Retried,
    Deleted,
    Nothing,
}

/// The query of a link: which list to show, and what a button has just done to which row.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Link {
    /// `work`, or the name of a channel. If `lane` or `rows` is missing, the page shows the start of each list.
    pub lane: Option<String>,
    pub rows: Option<Listed>,
    /// The first page is 0.
    pub page: Option<u32>,
    pub done: Option<Done>,
    pub id: Option<i64>,
}

impl Link {
    pub fn to(lane: &str, rows: Listed, page: u32) -> Self {
        Self { lane: Some(lane.to_owned()), rows: Some(rows), page: Some(page), done: None, id: None }
    }

    /// The only list to show, if the link names one.
    pub fn list(&self) -> Option<(&str, Listed)> {
        Some((self.lane.as_deref()?, self.rows?))
    }

    /// The link to a path, with this query.
    pub fn at(&self, path: &str) -> String {
        let query = serde_urlencoded::to_string(self).unwrap_or_default();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// The start of a list, or one page of it.
pub struct List {
    pub lane: String,
    pub listed: Listed,
    pub page: u32,
    /// How many rows the whole list has.
    pub total: i64,
    pub rows: Vec<Row>,
}

async fn page(State(admin): State<Admin>, Query(link): Query<Link>) -> Response {
    let page = async {
        let standings = admin.inbox.metrics.all_lanes(admin.ask(admin.inbox.store.overview()).await?);
        let each = |rows| standings.iter().map(move |standing| (lane_label(&standing.channel), rows));
        let (wanted, most, page) = match link.list() {
            Some(list) => (vec![list], MAX_ROWS, link.page.unwrap_or(0)),
            None => (each(Listed::Dead).chain(each(Listed::Waiting)).collect(), MAX_PREVIEW, 0),
        };
        let mut lists = Vec::new();
        for (lane, listed) in wanted {
            let standing = standings.iter().find(|standing| lane_label(&standing.channel) == lane);
            let total = standing.map_or(0, |Standing { dead, waiting, .. }| match listed {
                Listed::Dead => *dead,
                Listed::Waiting => *waiting,
            });
            if total > 0 {
                let channel = if lane == WORK { String::new() } else { lane.to_owned() };
                let which = match listed {
                    Listed::Dead => Which::Dead(channel),
                    Listed::Waiting => Which::Waiting(channel),
                };
                let rows = admin.ask(admin.inbox.store.rows(which, most, page.saturating_mul(most))).await?;
                lists.push(List { lane: lane.to_owned(), listed, page, total, rows });
            }
        }
        Ok(view::page(&standings, &admin.inbox.metrics.channels, &lists, &link))
    };
    page.await.unwrap_or_else(unavailable)
}

/// Shows what a visitor wrote. Only the button `show` leads here.
async fn show(State(admin): State<Admin>, Path(id): Path<i64>, Query(link): Query<Link>) -> Response {
    let show = async {
        let rows = admin.ask(admin.inbox.store.rows(Which::One(id), 1, 0)).await?;
        let body = admin.ask(admin.inbox.store.body(id)).await?;
        Ok(match (rows.first(), body) {
            (Some(row), Some(body)) => view::body(row, &body, &link),
            _ => view::problem(StatusCode::NOT_FOUND, "There is no such row any more."),
        })
    };
    show.await.unwrap_or_else(unavailable)
}

async fn retry(State(admin): State<Admin>, Path(id): Path<i64>, Query(link): Query<Link>) -> Response {
    let retried = admin.ask(admin.inbox.store.retry(Retry::NotDone(id))).await;
    back(retried.map(|rows| rows > 0), Done::Retried, id, link)
}

async fn delete(State(admin): State<Admin>, Path(id): Path<i64>, Query(link): Query<Link>) -> Response {
    let deleted = admin.ask(admin.inbox.store.delete(id)).await;
    back(deleted.map(|left| left.is_some()), Done::Deleted, id, link)
}

/// Answers a button: leads back to the list on which the button was pressed.
fn back(changed: Result<bool, Trouble>, done: Done, id: i64, link: Link) -> Response {
    let done = match changed {
        Ok(true) => {
            let what = if matches!(done, Done::Deleted) { "deleted" } else { "put back to waiting" };
            tracing::info!("row {id} is {what} from the page for operators");
            done
        }
        Ok(false) => Done::Nothing,
        Err(trouble) => return unavailable(trouble),
    };
    Redirect::to(&Link { done: Some(done), id: Some(id), ..link }.at("/")).into_response()
}

#[allow(clippy::needless_pass_by_value, reason = "`unwrap_or_else` passes values")]
fn unavailable(trouble: Trouble) -> Response {
    tracing::warn!("the page for operators has trouble with the inbox: {trouble}");
    view::problem(StatusCode::SERVICE_UNAVAILABLE, &format!("There is trouble with the inbox: {trouble}."))
}
