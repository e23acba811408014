//! A durable handler with axum and PostgreSQL: it commits before it answers.

use std::{env, error::Error, sync::Arc, time::Duration, time::SystemTime};

use axum::http::{HeaderMap, StatusCode};
use axum::{Router, body::Bytes, extract::State, routing::post};
use sqlx::{PgPool, Result, postgres::PgPoolOptions, query, query_as};
use tokio::{net::TcpListener, spawn, time::sleep};
use twt_chat_webhooks::{AppSecret, Payload, SIGNATURE_HEADER, Verifier};

// If two programs create a table at once, one fails. So each takes a lock first.
// A row with a problem is a dead letter: it waits for a person.
const TABLE: &str = r#"SELECT pg_advisory_xact_lock(1);
    CREATE TABLE IF NOT EXISTS inbox (key TEXT COLLATE "C" PRIMARY KEY,
    event TEXT, body BYTEA NOT NULL, problem TEXT, done BOOLEAN DEFAULT FALSE)"#;
// A repeated record changes nothing, but a good record replaces a dead letter. An
// INSERT may name a key only once. The keys are sorted, so that no deadlock happens.
const INSERT: &str = "INSERT INTO inbox (key, event, body, problem)
    SELECT DISTINCT ON (1) * FROM UNNEST($1, $2, $3, $4) ORDER BY 1
    ON CONFLICT (key) DO UPDATE SET body = excluded.body, problem = NULL,
    done = FALSE WHERE inbox.problem IS NOT NULL AND excluded.problem IS NULL";
// Several programs can work on the table: each skips what another has locked.
const NEXT: &str = "SELECT key, body FROM inbox WHERE problem IS NULL AND NOT done
    LIMIT 1 FOR UPDATE SKIP LOCKED";
const DONE: &str = "UPDATE inbox SET done = TRUE, problem = $2 WHERE key = $1";
const TOLERANCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(AppSecret::new(env::var("TWT_APP_SECRET")?)?);
    let options = PgPoolOptions::new().acquire_timeout(Duration::from_secs(3));
    let inbox = options.connect(&env::var("DATABASE_URL")?).await?;
    sqlx::raw_sql(TABLE).execute(&inbox).await?;
    let rows = inbox.clone();
    spawn(async move {
        loop {
            work(&rows).await.unwrap_or_else(|error| eprintln!("{error}"));
            sleep(Duration::from_millis(200)).await;
        }
    });
    let routes = Router::new().route("/webhooks/twt-chat", post(receive));
    let address = env::var("ADDR").unwrap_or("127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, routes.with_state(Arc::new((verifier, inbox)))).await?)
}

type Shared = State<Arc<(Verifier, PgPool)>>;

async fn receive(State(shared): Shared, head: HeaderMap, body: Bytes) -> StatusCode {
    let signature = head.get(SIGNATURE_HEADER).map(AsRef::as_ref);
    let Ok(delivery) = shared.0.receive(&body, signature) else {
        return StatusCode::FORBIDDEN;
    };
    println!("{delivery}");
    let stale = delivery.check_freshness(SystemTime::now().into(), TOLERANCE).err();
    let rows = delivery.records().iter().map(|record| {
        let problem = record.problem().or(stale.map(|error| error.to_string()));
        (&*record.key, record.event(), &*record.body, problem)
    });
    let rows: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = rows.collect();
    let insert = query(INSERT).bind(rows.0).bind(rows.1).bind(rows.2).bind(rows.3);
    // After any answer but 200, the platform sends the request again.
    let stored = insert.execute(&shared.1).await;
    stored.map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::OK)
}

async fn work(inbox: &PgPool) -> Result<()> {
    loop {
        let mut transaction = inbox.begin().await?;
        let row = query_as(NEXT).fetch_optional(&mut *transaction).await?;
        let Some::<(String, Vec<u8>)>((key, body)) = row else { return Ok(()) };
        let payload = Payload::from_slice(&body).map_err(|error| error.to_string());
        if let Ok(payload) = &payload {
            println!("working on {}", payload.summary()); // your work
        }
        query(DONE).bind(key).bind(payload.err()).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
}
