//! A durable handler with axum and SQLite: it commits before it answers.

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::{env, error::Error, sync::Arc, thread, time::Duration, time::SystemTime};
use tokio::{net::TcpListener, sync::Mutex, task::block_in_place};
use twt_chat_webhooks::{AppSecret, Delivery, Payload, SIGNATURE_HEADER, Verifier};

// A row with a problem is a dead letter: it waits for a person.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS inbox (key TEXT PRIMARY KEY,
    event TEXT, body BLOB NOT NULL, problem TEXT, done INTEGER DEFAULT 0)";
// A repeated record changes nothing, but a good record replaces a dead letter.
const INSERT: &str = "INSERT INTO inbox (key, event, body, problem)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE
    SET body = excluded.body, problem = NULL, done = 0
    WHERE problem IS NOT NULL AND excluded.problem IS NULL";
const NEXT: &str = "SELECT key, body FROM inbox WHERE problem IS NULL AND NOT done";
const DONE: &str = "UPDATE inbox SET done = 1, problem = ?2 WHERE key = ?1";
const TOLERANCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(AppSecret::new(env::var("TWT_APP_SECRET")?)?);
    let inbox = Connection::open("inbox.sqlite3")?;
    inbox.execute(TABLE, [])?;
    let rows = Connection::open("inbox.sqlite3")?;
    thread::spawn(move || {
        loop {
            work(&rows).unwrap_or_else(|error| eprintln!("{error}"));
            thread::sleep(Duration::from_millis(200));
        }
    });
    let shared = Arc::new((verifier, Mutex::new(inbox)));
    let app =
        Router::new().route("/webhooks/twt-chat", axum::routing::post(receive));
    let address = env::var("ADDR").unwrap_or("127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.with_state(shared)).await?)
}

type Shared = State<Arc<(Verifier, Mutex<Connection>)>>;
async fn receive(State(shared): Shared, head: HeaderMap, body: Bytes) -> StatusCode {
    let signature = head.get(SIGNATURE_HEADER).map(AsRef::as_ref);
    let Ok(delivery) = shared.0.receive(&body, signature) else {
        return StatusCode::FORBIDDEN;
    };
    println!("{delivery}");
    let mut inbox = shared.1.lock().await;
    let stored = block_in_place(|| store(&mut inbox, &delivery));
    stored.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::OK)
}

fn store(inbox: &mut Connection, delivery: &Delivery) -> Result<()> {
    let stale = delivery.check_freshness(SystemTime::now().into(), TOLERANCE).err();
    let transaction = inbox.transaction()?;
    for record in delivery.records() {
        let problem = record.problem().or(stale.map(|error| error.to_string()));
        let row = params![record.key, record.event(), record.body, problem];
        transaction.execute(INSERT, row)?;
    }
    transaction.commit()
}

fn work(inbox: &Connection) -> Result<()> {
    loop {
        let row = inbox.query_row(NEXT, [], |row| row.try_into()).optional()?;
        let Some::<(String, Vec<u8>)>((key, body)) = row else { return Ok(()) };
        let payload = Payload::from_slice(&body).map_err(|error| error.to_string());
        if let Ok(payload) = &payload {
            println!("working on {}", payload.summary()); // your work
        }
        inbox.execute(DONE, params![key, payload.err()])?;
    }
}
