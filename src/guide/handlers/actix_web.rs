//! A durable handler with actix-web and SQLite: it commits before it answers.

use std::{
    env, error::Error, sync::Mutex, thread, time::Duration, time::SystemTime,
};

use actix_web::web::{Bytes, Data, PayloadConfig, block, post};
use actix_web::{App, HttpRequest, HttpServer, Result, error};
use rusqlite::{Connection, OptionalExtension, params};
use twt_chat_webhooks::{AppSecret, Payload, SIGNATURE_HEADER, Verifier};

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

#[actix_web::main]
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
    let shared = Data::new((verifier, Mutex::new(inbox)));
    let server = HttpServer::new(move || {
        // By default, actix-web refuses bodies of more than 256 KiB.
        let app = App::new().app_data(PayloadConfig::new(2 << 20));
        app.app_data(shared.clone()).route("/webhooks/twt-chat", post().to(receive))
    });
    let server = server.bind(env::var("ADDR").unwrap_or("127.0.0.1:3000".into()))?;
    println!("listening on http://{}", server.addrs()[0]);
    Ok(server.run().await?)
}

type Shared = Data<(Verifier, Mutex<Connection>)>;

async fn receive(shared: Shared, head: HttpRequest, body: Bytes) -> Result<String> {
    let signature = head.headers().get(SIGNATURE_HEADER).map(AsRef::as_ref);
    let delivery =
        shared.0.receive(&body, signature).map_err(error::ErrorForbidden)?;
    println!("{delivery}");
    let stale = delivery.check_freshness(SystemTime::now().into(), TOLERANCE).err();
    let stored = block(move || {
        let mut inbox = shared.1.lock().unwrap();
        let transaction = inbox.transaction()?;
        for record in delivery.records() {
            let problem = record.problem().or(stale.map(|error| error.to_string()));
            let row = params![record.key, record.event(), record.body, problem];
            transaction.execute(INSERT, row)?;
        }
        transaction.commit()
    });
    // After any answer but 200, the platform sends the request again.
    stored.await?.map_err(error::ErrorServiceUnavailable)?;
    Ok(String::new())
}

fn work(inbox: &Connection) -> rusqlite::Result<()> {
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
