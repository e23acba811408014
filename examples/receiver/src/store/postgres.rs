//! The inbox in PostgreSQL 14 or newer, for several machines.
//!
//! All receivers take deliveries, work and forward. Deliveries that come together share a commit (`keep`). A receiver
//! is alive as long as it holds an advisory lock. PostgreSQL releases the lock when the session of the receiver ends
//! (`owner`).

mod connection;
mod keep;
mod look;
mod operate;
mod owner;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use self::connection::{Connection, Kept, within};
use self::keep::Job;
use super::{Plan, Prune, Retry, Row, Session, Standing, Store, Trouble, VERSION, Which};
use crate::delivery::Arrival;

/// How long a connection is idle before TCP asks whether its peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The settings from a `postgres://` URL. `Display` shows no password.
#[derive(Clone)]
pub(super) struct Address(Config);

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        // The client does not know these two modes. With TLS, this receiver always checks the certificate and the name
        // in it, as `verify-full` asks.
        let url = ["verify-full", "verify-ca"]
            .iter()
            .fold(url.to_owned(), |url, mode| url.replace(&format!("sslmode={mode}"), "sslmode=require"));
        // The text of this error names a parameter, but shows no value.
        let mut config: Config = url.parse().map_err(|error| format!("INBOX is not a valid URL: {error}"))?;
        // Without `sslmode`, or with `prefer`, the client would use TLS if the server has it. It would then refuse a
        // certificate that this machine does not trust.
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Disable);
        }
        // A connection can be idle for hours. Without these messages, a network could forget it meanwhile.
        if !url.contains("keepalives_idle") {
            config.keepalives_idle(KEEPALIVE);
        }
        if config.get_application_name().is_none() {
            config.application_name("twt-chat receiver");
        }
        Ok(Self(config))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("postgres://")?;
        for (index, host) in self.0.get_hosts().iter().enumerate() {
            match host {
                Host::Tcp(name) => formatter.write_str(name)?,
                Host::Unix(path) => path.display().fmt(formatter)?,
            }
            let ports = self.0.get_ports();
            if let Some(port) = ports.get(index).or(ports.first()) {
                write!(formatter, ":{port}")?;
            }
        }
        write!(formatter, "/{}", self.0.get_dbname().unwrap_or_default())
    }
}

struct Postgres {
    address: Address,
    plan: Plan,
    jobs: mpsc::Sender<Job>,
    /// The connection for `tidy`. The connection of the owner cannot be used: a session can take its own locks again,
    /// so `tidy` would take this receiver for dead.
    other: Mutex<Kept<operate::Prepared>>,
    /// The connection that has checked the tables. The first command or look uses it.
    first: Mutex<Option<Connection<()>>>,
}

pub(super) async fn open(address: &Address, create: bool, plan: Plan) -> Result<Arc<dyn Store>, Trouble> {
    let first = Mutex::new(Some(prepare_tables(address, create, &plan).await?));
    let jobs = keep::start(address, &plan);
    Ok(Arc::new(Postgres { address: address.clone(), plan, jobs, other: Mutex::default(), first }))
}

const CREATE: &str = include_str!("postgres.sql");
/// Race: if several receivers start at once, one makes the tables, and the others wait for this lock.
const LOCK_TABLES: &str = "SELECT pg_advisory_xact_lock($1, 0)";
const TABLES: &str = "SELECT to_regclass('twt_chat.version') IS NOT NULL";
const CHECK_VERSION: &str = "SELECT oldest FROM version";

/// Makes the tables if there are none, and checks that this receiver is not too old for them.
async fn prepare_tables(address: &Address, create: bool, plan: &Plan) -> Result<Connection<()>, Trouble> {
    let mut connection = Connection::<()>::open(address, &plan.timings).await?;
    let make = async {
        let transaction = connection.client.transaction().await?;
        // A start may wait for the upgrade of another receiver.
        transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
        transaction.execute(LOCK_TABLES, &[&connection::CLASS]).await?;
        let exists: bool = transaction.query_one(TABLES, &[]).await?.get(0);
        if !exists && create {
            transaction.batch_execute("CREATE SCHEMA IF NOT EXISTS twt_chat").await?;
            transaction.batch_execute(CREATE).await?;
        }
        if !exists && !create {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    };
    if !make.await.map_err(connection::away)? {
        return Err(Trouble::Away("it has no tables".to_owned()));
    }
    check_version(&connection.client).await?;
    Ok(connection)
}

async fn check_version(client: &tokio_postgres::Client) -> Result<(), Trouble> {
    let oldest: i32 = client.query_one(CHECK_VERSION, &[]).await.map_err(connection::away)?.get(0);
    if oldest > VERSION { Err(Trouble::TooOld) } else { Ok(()) }
}

impl Postgres {
    /// A connection for one command, look, or button of the page. PostgreSQL ends a statement after
    /// `Timings::statement`. So a button whose request has failed does nothing after this time.
    async fn connect(&self) -> Result<Connection<()>, Trouble> {
        let first = self.first.lock().await.take();
        match first {
            Some(connection) => Ok(connection),
            None => Connection::open(&self.address, &self.plan.timings).await,
        }
    }
}

#[async_trait]
impl Store for Postgres {
    async fn keep(&self, arrival: Arrival) -> Result<usize, Trouble> {
        keep::keep(&self.jobs, arrival).await
    }

    async fn probe(&self) -> Result<(), Trouble> {
        keep::probe(&self.jobs).await
    }

    async fn enter(&self) -> Result<Box<dyn Session>, Trouble> {
        Ok(Box::new(owner::Owner::enter(&self.address, &self.plan).await?))
    }

    async fn tidy(&self) -> Result<(), Trouble> {
        let mut kept = self.other.lock().await;
        let connection = kept.take(&self.address, &self.plan.timings).await?;
        within(self.plan.timings.statement, operate::tidy(&connection, &self.plan)).await?;
        kept.give_back(connection);
        Ok(())
    }

    async fn list(&self, dead: bool, after: i64) -> Result<Vec<Row>, Trouble> {
        look::list(&self.connect().await?.client, dead, after).await.map_err(connection::away)
    }

    async fn body(&self, id: i64) -> Result<Option<Vec<u8>>, Trouble> {
        look::body(&self.connect().await?.client, id).await.map_err(connection::away)
    }

    async fn overview(&self) -> Result<Vec<Standing>, Trouble> {
        look::overview(&self.connect().await?, &self.plan.timings).await
    }

    async fn rows(&self, which: Which, most: u32, skip: u32) -> Result<Vec<Row>, Trouble> {
        look::rows(&self.connect().await?, &self.plan.timings, &which, most, skip).await
    }

    async fn retry(&self, retry: Retry) -> Result<u64, Trouble> {
        operate::retry(&self.connect().await?.client, retry).await.map_err(connection::away)
    }

    async fn delete(&self, id: i64) -> Result<Option<u64>, Trouble> {
        operate::delete(&mut self.connect().await?.client, id).await.map_err(connection::away)
    }

    async fn prune(&self, prune: &Prune) -> Result<u64, Trouble> {
        operate::prune(&mut self.connect().await?.client, prune).await.map_err(connection::away)
    }

    async fn backup(&self, _: &Path) -> Result<(), Trouble> {
        Err(Trouble::Away("the inbox is in PostgreSQL: back it up with pg_dump".to_owned()))
    }

    /// Each connection is closed when it is dropped.
    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Address, KEEPALIVE};

    #[test]
    fn connections_have_keepalives_unless_the_url_says_when() {
        let idle = |url: &str| Address::parse(url).unwrap().0.get_keepalives_idle();
        assert_eq!(idle("postgres://db.example.com/inbox"), KEEPALIVE);
        assert_eq!(idle("postgres://db.example.com/inbox?keepalives_idle=5"), Duration::from_secs(5));
    }
}
