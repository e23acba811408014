//! The inbox in a SQLite file, for one machine.
//!
//! One thread does all writes. It puts the writes that wait into one commit, because each commit has to wait for the
//! disk. The receivers that share the file show that they are alive by a number that grows, see [`tidy`].

mod backup;
mod files;
mod look;
mod process;
mod statements;
mod tidy;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{iter, thread};

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Result as SqlResult, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use self::files::Files;
use self::tidy::Observed;
use super::{Claim, MAX_GROUP, Outcome, Plan, Prune, Retry, Row, Session, Standing, Store, Trouble, Which};
use crate::Error;
use crate::channel::Channel;
use crate::delivery::{Arrival, rehearsal};

/// How often to try to empty the log of the database, the file `-wal`.
const EMPTY_TRIES: u32 = 5;
/// How long a start waits for another receiver that upgrades the tables, and a backup for another process that writes.
const MAX_UPGRADE: Duration = Duration::from_secs(600);

pub(super) fn open(path: &Path, create: bool, plan: Plan) -> Result<Arc<dyn Store>, Error> {
    // SQLite gives a path such as `:memory:` a meaning of its own.
    let path = std::path::absolute(path)?;
    files::prepare(&path, create)?;
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(MAX_UPGRADE)?;
    upgrade::use_log(&connection, MAX_UPGRADE)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    // SQLite overwrites deleted content, so that the words of a visitor do not stay in the file after a deletion.
    connection.execute_batch("PRAGMA secure_delete = ON")?;
    // Otherwise, SQLite would compile a statement again whenever its parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    upgrade::upgrade(&connection)?;
    connection.busy_timeout(plan.timings.busy)?;
    statements::check_version(&connection)?.map_or(Ok(()), Err)?;
    let files = Files::find(&path)?;
    Ok(Arc::new(Sqlite { path, requests: start(connection, files), plan, observed: Arc::default() }))
}

/// Whether another process has locked the database.
fn is_locked(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

#[derive(Clone)]
struct Sqlite {
    path: PathBuf,
    requests: mpsc::Sender<Request>,
    plan: Plan,
    /// What this receiver has seen of the other receivers.
    observed: Arc<Mutex<Observed>>,
}

/// A request to the thread that writes.
enum Request {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// A write that waits for its commit.
trait Job: Send {
    /// Runs in a transaction. If the transaction fails, the job can run again.
    fn run(&mut self, transaction: &Transaction<'_>) -> SqlResult<()>;
    /// Whether a delivery or a health check is answered 200 once this write is committed.
    fn is_promise(&self) -> bool;
    /// Tells the task that waits how the commit ended.
    fn answer(self: Box<Self>, committed: Result<(), String>, connection: &Connection);
}

struct Write<T, W> {
    is_promise: bool,
    run: W,
    value: Option<T>,
    sender: oneshot::Sender<Result<T, Trouble>>,
}

impl<T: Send, W: FnMut(&Transaction<'_>) -> SqlResult<T> + Send> Job for Write<T, W> {
    fn run(&mut self, transaction: &Transaction<'_>) -> SqlResult<()> {
        // If the task has given up meanwhile, nothing is done. The page or the platform has been told so.
        if !self.sender.is_closed() {
            self.value = Some((self.run)(transaction)?);
        }
        Ok(())
    }

    fn is_promise(&self) -> bool {
        self.is_promise
    }

    fn answer(self: Box<Self>, committed: Result<(), String>, _: &Connection) {
        let Self { value, sender, .. } = *self;
        let value = committed.and_then(|()| value.ok_or_else(String::new));
        let _ = sender.send(value.map_err(Trouble::Away));
    }
}

/// Writes the log of the database into its file and empties the log. The log may still hold content that is deleted
/// from the file.
struct EmptyLog(oneshot::Sender<Result<(), Trouble>>);

impl Job for EmptyLog {
    fn run(&mut self, _: &Transaction<'_>) -> SqlResult<()> {
        Ok(())
    }

    fn is_promise(&self) -> bool {
        false
    }

    // The log can only be emptied when no transaction is open.
    fn answer(self: Box<Self>, committed: Result<(), String>, connection: &Connection) {
        let empty = |()| match statements::empty_log(connection) {
            Ok(true) => Ok(()),
            Ok(false) => Err("another process uses it".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let left = |why| {
            format!("all that was to be deleted is deleted, but the log of the database may still hold it: {why}")
        };
        let emptied = committed.and_then(empty).map_err(|why| Trouble::Away(left(why)));
        let _ = self.0.send(emptied);
    }
}

/// Starts the thread that writes. The thread ends when a request closes the database, or when all senders of requests
/// are gone.
fn start(mut connection: Connection, mut files: Files) -> mpsc::Sender<Request> {
    let (requests, mut waiting) = mpsc::channel(MAX_GROUP);
    thread::spawn(move || {
        while let Some(first) = waiting.blocking_recv() {
            let (mut group, mut close) = (Vec::new(), None);
            let queue = iter::once(first).chain(iter::from_fn(|| waiting.try_recv().ok()));
            for request in queue.take(MAX_GROUP) {
                match request {
                    Request::Write(job) => group.push(job),
                    Request::Close(closed) => {
                        close = Some(closed);
                        break;
                    }
                }
            }
            write(&mut connection, &mut files, group);
            if let Some(closed) = close {
                files.close(connection);
                let _ = closed.send(());
                return;
            }
        }
    });
    requests
}

/// Commits jobs and answers them. If the files are not those that were opened, each job that is a promise is answered
/// with an error. The other jobs are still committed, so the receiver goes on to work on what it has taken.
fn write(connection: &mut Connection, files: &mut Files, group: Vec<Box<dyn Job>>) {
    let mut check = |connection: &Connection, group: &[Box<dyn Job>]| {
        // Each write can change the size of the database, so the files are looked at even if nothing is promised.
        let checked = files.check(connection);
        let checked = if group.iter().any(|job| job.is_promise()) { checked } else { Ok(()) };
        checked.inspect_err(|problem| tracing::error!("the inbox cannot be written: {problem}"))
    };
    let before = check(connection, &group);
    let (refused, mut group): (Vec<_>, _) = group.into_iter().partition(|job| before.is_err() && job.is_promise());
    for job in refused {
        job.answer(before.clone(), connection);
    }
    if group.is_empty() {
        return;
    }
    let committed = commit(connection, &mut group);
    // One job that fails makes the whole group fail, so each job is tried alone. If another process has locked the
    // database, this would not help.
    let alone = committed.as_ref().is_err_and(|(_, locked)| !locked) && group.len() > 1;
    let mut commit_alone = |job| if alone { commit(connection, std::slice::from_mut(job)) } else { committed.clone() };
    let committed: Vec<_> = group.iter_mut().map(&mut commit_alone).collect();
    let after = check(connection, &group);
    for (job, committed) in group.into_iter().zip(committed) {
        let kept = if job.is_promise() { after.clone() } else { Ok(()) };
        job.answer(committed.map_err(|(problem, _)| problem).and(kept), connection);
    }
}

/// Commits all jobs or none. The `bool` of an error says whether another process has locked the database.
fn commit(connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), (String, bool)> {
    let mut write = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        group.iter_mut().try_for_each(|job| job.run(&transaction))?;
        transaction.commit()
    };
    write().map_err(|error| {
        tracing::error!("the inbox cannot be written: {error}");
        (error.to_string(), is_locked(&error))
    })
}

impl Sqlite {
    /// Empties the log of the database. Other processes can prevent this, so it is tried several times.
    async fn empty_log(&self) -> Result<(), Trouble> {
        let mut tries = 1;
        loop {
            let emptied = self.request(|sender| Box::new(EmptyLog(sender))).await;
            if emptied.is_ok() || tries == EMPTY_TRIES {
                return emptied;
            }
            tries += 1;
            tokio::time::sleep(self.plan.timings.look).await;
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnMut(&Transaction<'_>) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.request(|sender| Box::new(Write { is_promise: false, run: write, value: None, sender })).await
    }

    /// Commits a write after which a delivery or a health check is answered 200.
    async fn promise<T: Send + 'static>(
        &self,
        write: impl FnMut(&Transaction<'_>) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.request(|sender| Box::new(Write { is_promise: true, run: write, value: None, sender })).await
    }

    /// Hands a job to the thread that writes, and waits for its answer.
    async fn request<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Trouble>>) -> Box<dyn Job>,
    ) -> Result<T, Trouble> {
        let (sender, answer) = oneshot::channel();
        let ended = || Trouble::Away("the thread that writes has ended".to_owned());
        self.requests.send(Request::Write(job(sender))).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn keep(&self, arrival: Arrival) -> Result<usize, Trouble> {
        let lanes = self.plan.lanes();
        self.promise(move |transaction| statements::keep(transaction, &arrival, &lanes)).await
    }

    async fn probe(&self) -> Result<(), Trouble> {
        let (rehearsal, lanes) = (rehearsal(), self.plan.lanes());
        self.promise(move |transaction| statements::probe(transaction, &rehearsal, &lanes)).await
    }

    async fn enter(&self) -> Result<Box<dyn Session>, Trouble> {
        let (plan, process) = (self.plan.clone(), process::this());
        let entered = self.write(move |transaction| statements::enter(transaction, &plan, process.as_deref()));
        let number = entered.await??;
        let in_work = AtomicUsize::new(0);
        Ok(Box::new(Owner { store: self.clone(), number, in_work, beat: Mutex::new(Instant::now()) }))
    }

    async fn tidy(&self) -> Result<(), Trouble> {
        let (plan, observed) = (self.plan.clone(), Arc::clone(&self.observed));
        self.write(move |transaction| tidy::tidy(transaction, &plan, &observed)).await?
    }

    async fn list(&self, dead: bool, after: i64) -> Result<Vec<Row>, Trouble> {
        let list = move |connection: &Connection| look::list(connection, dead, after);
        look::look(self.path.clone(), self.plan.timings.statement, list).await
    }

    async fn body(&self, id: i64) -> Result<Option<Vec<u8>>, Trouble> {
        let body = move |connection: &Connection| look::body(connection, id);
        look::look(self.path.clone(), self.plan.timings.write, body).await
    }

    async fn overview(&self) -> Result<Vec<Standing>, Trouble> {
        look::look(self.path.clone(), self.plan.timings.write, look::overview).await
    }

    async fn rows(&self, which: Which, most: u32, skip: u32) -> Result<Vec<Row>, Trouble> {
        let rows = move |connection: &Connection| look::rows(connection, &which, most, skip);
        look::look(self.path.clone(), self.plan.timings.write, rows).await
    }

    async fn retry(&self, retry: Retry) -> Result<u64, Trouble> {
        self.write(move |transaction| statements::retry(transaction, retry)).await
    }

    async fn delete(&self, id: i64) -> Result<Option<u64>, Trouble> {
        let left = self.write(move |transaction| statements::delete(transaction, id)).await?;
        if left == Some(0) {
            self.empty_log().await?;
        }
        Ok(left)
    }

    async fn prune(&self, prune: &Prune) -> Result<u64, Trouble> {
        let prune = prune.clone();
        let deleted = self.write(move |transaction| statements::prune(transaction, &prune)).await?;
        if deleted == 0 {
            self.empty_log().await?;
        }
        Ok(deleted)
    }

    async fn backup(&self, file: &Path) -> Result<(), Trouble> {
        let (inbox, copy) = (self.path.clone(), file.to_owned());
        let copied = tokio::task::spawn_blocking(move || backup::backup(&inbox, &copy)).await;
        let problem = match copied {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem.to_string(),
            Err(panicked) => panicked.to_string(),
        };
        Err(Trouble::Away(format!("no backup is written to {}: {problem}", file.display())))
    }

    async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        if self.requests.send(Request::Close(sender)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

struct Owner {
    store: Sqlite,
    number: i64,
    /// How many rows are in work. If no row is in work, the owner need not show that it is alive.
    in_work: AtomicUsize,
    /// When the owner last showed that it is alive.
    beat: Mutex<Instant>,
}

#[async_trait]
impl Session for Owner {
    async fn exchange(&self, lane: Option<Channel>, ended: &[Outcome], free: usize) -> Result<Vec<Claim>, Trouble> {
        let (owner, plan) = (self.number, self.store.plan.clone());
        let in_work = self.in_work.load(Ordering::Relaxed) > 0;
        let beat = in_work && self.beat.lock().is_ok_and(|beat| beat.elapsed() >= 2 * plan.timings.look);
        let name = super::lane_name(lane);
        let noted: Vec<_> = ended
            .iter()
            .map(|outcome| {
                let problem = outcome.result.as_ref().err().map(|failure| failure.problem.clone());
                (outcome.id, outcome.attempt, plan.judge(lane, outcome), problem)
            })
            .collect();
        let count = ended.len();
        let exchanged = self.store.write(move |transaction| {
            if !statements::is_known(transaction, owner)? {
                return Ok(None);
            }
            for (id, attempt, verdict, problem) in &noted {
                statements::note(transaction, owner, name, (*id, *attempt), verdict, problem.as_deref())?;
            }
            let claims = statements::claim(transaction, owner, name, free)?;
            let shows = beat || !noted.is_empty() || !claims.is_empty();
            if shows {
                statements::beat(transaction, owner)?;
            }
            Ok(Some((claims, shows)))
        });
        let lost = || Trouble::Lost("another receiver has taken this one for dead".to_owned());
        let (claims, shows) = exchanged.await?.ok_or_else(lost)?;
        self.in_work.fetch_add(claims.len(), Ordering::Relaxed);
        self.in_work.fetch_sub(count, Ordering::Relaxed);
        if shows && let Ok(mut last) = self.beat.lock() {
            *last = Instant::now();
        }
        Ok(claims)
    }

    async fn leave(&self) -> Result<(), Trouble> {
        let (owner, plan) = (self.number, self.store.plan.clone());
        self.store.write(move |transaction| tidy::leave(transaction, &plan, owner)).await
    }
}
