//! A connection to PostgreSQL: TLS, the settings of the session, limits of time, and the texts of errors.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::error::Severity;
use tokio_postgres::{Client, Error, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Address;
use crate::store::{Trouble, millis};
use crate::timings::Timings;

/// The first of the two numbers of each advisory lock. It keeps these locks apart from those of other programs in the
/// same database. It is the start of the SHA-256 of "twt-chat receiver".
pub(super) const CLASS: i32 = 0x2076_e201;

/// The settings of each session:
///
/// - `synchronous_commit`: a commit waits for the disk, whatever the server's default is.
/// - `enable_seqscan` is off: a table that has just grown has no statistics. The planner could choose a sequential
///   scan, with which each claim would sort all waiting rows.
/// - `tcp_user_timeout`: ends a connection whose peer no longer acknowledges data.
fn settings(timings: &Timings) -> String {
    let (statement, idle) = (millis(timings.statement), millis(timings.idle));
    format!(
        "SET synchronous_commit = on; SET search_path = twt_chat; SET client_min_messages = warning;
        SET enable_seqscan = off; SET jit = off;
        SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {idle};
        SET tcp_user_timeout = {idle}"
    )
}

/// The statements that are prepared once for each connection.
pub(super) trait Statements: Sized + Send + Sync {
    fn prepare(client: &Client) -> impl Future<Output = Result<Self, Error>> + Send;
}

impl Statements for () {
    async fn prepare(_: &Client) -> Result<Self, Error> {
        Ok(())
    }
}

pub(super) struct Connection<S> {
    pub client: Client,
    pub prepared: S,
    driver: JoinHandle<()>,
}

/// Closes the socket at once. Otherwise, the task of the connection would wait for a server that does not answer.
impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl<S: Statements> Connection<S> {
    pub(super) async fn open(Address(config): &Address, timings: &Timings) -> Result<Self, Trouble> {
        let open = async {
            let tls = MakeRustlsConnect::new(tls(config.get_ssl_mode()).map_err(Trouble::Away)?);
            let (client, connection) = config.connect(tls).await.map_err(away)?;
            let driver = tokio::spawn(async move { _ = connection.await });
            let prepare = async {
                client.batch_execute(&settings(timings)).await?;
                S::prepare(&client).await
            };
            match prepare.await {
                Ok(prepared) => Ok(Self { client, prepared, driver }),
                Err(error) => {
                    driver.abort();
                    Err(away(error))
                }
            }
        };
        within(timings.statement, open).await
    }
}

/// A connection that is opened when it is needed and kept for the next use.
pub(super) struct Kept<S> {
    connection: Option<Connection<S>>,
}

impl<S> Default for Kept<S> {
    fn default() -> Self {
        Self { connection: None }
    }
}

impl<S: Statements> Kept<S> {
    /// Takes the connection out, or opens a new connection. The caller gives the connection back after a success, and
    /// may do so after an error with which PostgreSQL has answered. After any other error, the caller drops the
    /// connection, because PostgreSQL may still send the answer to an earlier statement.
    pub(super) async fn take(&mut self, address: &Address, timings: &Timings) -> Result<Connection<S>, Trouble> {
        match self.connection.take().filter(|connection| !connection.client.is_closed()) {
            Some(connection) => Ok(connection),
            None => Connection::open(address, timings).await,
        }
    }

    pub(super) fn give_back(&mut self, connection: Connection<S>) {
        self.connection = Some(connection);
    }
}

/// Limits how long to wait for PostgreSQL. If the network is cut, there is neither an answer nor an error.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let slow = |_| Trouble::Away(format!("the database did not answer within {limit:?}"));
    timeout(limit, answer).await.map_err(slow)?
}

/// Trusts the certificates that the machine trusts, or those in the file that `SSL_CERT_FILE` names.
fn tls(mode: SslMode) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if mode != SslMode::Disable {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err("this machine trusts no certificate: set SSL_CERT_FILE".to_owned());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Whether PostgreSQL has only refused a statement, so that the connection can still be used.
pub(super) fn only_refused(error: &Error) -> bool {
    error.as_db_error().is_some_and(|error| error.parsed_severity() == Some(Severity::Error))
}

/// The text of an error, without its detail. The detail quotes the values of a row.
#[allow(clippy::needless_pass_by_value, reason = "`map_err` passes values")]
pub(super) fn away(error: Error) -> Trouble {
    if let Some(refused) = error.as_db_error() {
        return Trouble::Away(format!("{} (SQLSTATE {})", refused.message(), refused.code().code()));
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.contains(&cause.to_string()) {
            text = format!("{text}: {cause}");
        }
        source = cause.source();
    }
    Trouble::Away(text)
}
