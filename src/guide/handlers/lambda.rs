//! A durable handler for AWS Lambda with PostgreSQL: it commits before it answers.

use std::{env, time::Duration, time::SystemTime};

use lambda_http::{Error, Request, http::StatusCode, run, service_fn};
use sqlx::{PgPool, postgres::PgPoolOptions, query};
use twt_chat_webhooks::{AppSecret, SIGNATURE_HEADER, Verifier};

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
const TOLERANCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

// Lambda freezes the program after each answer, so this program has no worker. Work
// on the rows in another program. The function `work` for axum and PostgreSQL fits.
#[tokio::main]
async fn main() -> Result<(), Error> {
    let verifier = Verifier::new(AppSecret::new(env::var("TWT_APP_SECRET")?)?);
    // One program handles one request at a time, so it needs one connection. For a
    // database that asks for TLS, switch on a feature of sqlx such as `tls-rustls`.
    let options = PgPoolOptions::new().max_connections(1);
    let options = options.acquire_timeout(Duration::from_secs(3));
    let inbox = options.connect(&env::var("DATABASE_URL")?).await?;
    sqlx::raw_sql(TABLE).execute(&inbox).await?;
    run(service_fn(|request| receive(&verifier, &inbox, request))).await
}

async fn receive(
    verifier: &Verifier,
    inbox: &PgPool,
    request: Request,
) -> Result<(StatusCode, &'static str), Error> {
    let signature = request.headers().get(SIGNATURE_HEADER).map(AsRef::as_ref);
    let Ok(delivery) = verifier.receive(request.body(), signature) else {
        return Ok((StatusCode::FORBIDDEN, ""));
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
    let stored = insert.execute(inbox).await;
    let status = stored.map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::OK);
    Ok((status, ""))
}
