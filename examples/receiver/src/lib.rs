//! A receiver for the webhooks of TWT Chat that loses nothing.
//!
//! A delivery is verified (`server`), taken apart (`Delivery`) and committed (`store`) before it is answered 200.
//! After that, each item is worked on (`worker`, `attempt`) and forwarded to each channel (`forward`), again after
//! each failure, until its row is done or dead.

mod admin;
mod attempt;
#[path = "../../relay/channel.rs"]
mod channel;
mod cli;
mod commands;
mod connections;
mod delivery;
mod forward;
mod inbox;
mod log;
mod metrics;
pub mod server;
mod store;
mod timings;
mod unset;
mod worker;

use std::io;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use twt_chat_webhooks::Verifier;

use crate::attempt::Workshop;
pub use crate::attempt::{Error, Item, Work};
use crate::cli::{Cli, Command};
use crate::forward::Webhook;
use crate::inbox::Inbox;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::server::Port;
use crate::store::{Plan, Store};
pub use crate::timings::Timings;
use crate::worker::{Kind, Lane};

/// How long each statement of a command may take on PostgreSQL, and each read of `receiver list` on SQLite. This time
/// replaces `Timings::statement`, which is for a receiver that serves.
const MAX_COMMAND: Duration = Duration::from_secs(600);
/// How long a command waits for the processes that write to a SQLite file.
const MAX_COMMAND_BUSY: Duration = Duration::from_secs(30);

/// Runs the command of the command line. Without a command, serves.
pub fn run(work: Work) -> ExitCode {
    run_with(work, Timings::default())
}

/// Like [`run`], but with other times. The tests use it.
pub fn run_with(work: Work, timings: Timings) -> ExitCode {
    let cli = Cli::parse();
    let settings = |timings: &Timings| {
        cli.check()?;
        Ok::<_, String>((Log::new(&cli.log, &cli.log_format)?, cli::tolerance()?, cli::settings(timings)?))
    };
    let (code, done) = match &cli.command {
        Some(command) => (1, operate(command, &cli, timings)),
        None => match settings(&timings) {
            Err(problem) => (2, Err(problem.into())),
            Ok((log, tolerance, (verifier, webhooks))) => {
                (1, start(&cli, log, verifier, webhooks, work, Timings { tolerance, ..timings }))
            }
        },
    };
    let Err(problem) = done else { return ExitCode::SUCCESS };
    let is_json = cli.command.is_none() && log::is_json(&cli.log_format);
    log::last_words(&problem.to_string(), is_json);
    ExitCode::from(code)
}

fn start(
    cli: &Cli,
    log: Log,
    verifier: Verifier,
    webhooks: Vec<Webhook>,
    work: Work,
    timings: Timings,
) -> Result<(), Error> {
    let guard = log.start();
    let timings = Arc::new(timings);
    let workers = cli.workers.into();
    let workshop = Arc::new(Workshop::new(work, workers)?);
    let runtime = Runtime::new()?;
    let served = runtime.block_on(serve(cli, verifier, webhooks, workshop, workers, Arc::clone(&timings)));
    // Dropping the guard writes the last lines of the log. If nobody reads the log, the receiver waits only for a
    // while. `shutdown_background` does not wait for a thread that is blocked.
    let last_lines = tokio::task::spawn_blocking;
    let _ = runtime.block_on(async { timeout(timings.grace, last_lines(|| drop(guard))).await });
    runtime.shutdown_background();
    served
}

async fn serve(
    cli: &Cli,
    verifier: Verifier,
    webhooks: Vec<Webhook>,
    workshop: Arc<Workshop>,
    workers: usize,
    timings: Arc<Timings>,
) -> Result<(), Error> {
    let channels: Vec<_> = webhooks.iter().map(|webhook| webhook.channel).collect();
    let metrics = Metrics::new(channels.clone());
    let plan = Plan { channels, timings: Arc::clone(&timings) };
    let store = store::open(&cli.inbox, true, plan).await?;
    let stop = stop_on_signal()?;
    let cannot_listen = |error| format!("cannot listen on {}: {error}", cli.addr);
    let listener = connections::listen(&cli.addr).await.map_err(cannot_listen)?;
    tracing::info!("listening on {}", listener.local_addr()?);
    if let Some(tolerance) = timings.tolerance {
        let tolerance = humantime::format_duration(tolerance);
        tracing::info!("a delivery that is more than {tolerance} older or newer is kept as a dead letter");
    }
    for webhook in &webhooks {
        tracing::info!("forwarding to {webhook}");
    }
    let mut lanes = vec![Lane { kind: Kind::Work(workshop), most: workers }];
    for webhook in webhooks {
        lanes.push(Lane { kind: Kind::Forward(Arc::new(webhook)), most: 1 });
    }
    let inbox = Inbox::new(Arc::clone(&store), metrics);
    let router = server::router(verifier, inbox.clone(), Arc::clone(&timings));
    let operators = match cli.admin() {
        Some(address) => {
            let port = admin::listen(address, &inbox.metrics).await?;
            let router = admin::router(address, router.clone(), inbox.clone(), Arc::clone(&timings));
            let (timings, stop) = (Arc::clone(&timings), stop.clone());
            Some(tokio::spawn(async move { server::serve(port, router, &timings, stop).await }))
        }
        None => None,
    };
    let remind = stop.clone().run_until_cancelled_owned(unset::remind(inbox.clone(), Arc::clone(&timings)));
    tokio::spawn(remind);
    let port = Port { open: inbox.metrics.connections("deliveries"), ..Port::new(listener) };
    let work = {
        let (timings, stop) = (Arc::clone(&timings), stop.clone());
        tokio::spawn(async move {
            let worked = worker::run(inbox, lanes, timings, stop.clone()).await;
            // If the worker cannot go on, the server ends too.
            stop.cancel();
            worked
        })
    };
    server::serve(port, router, &timings, stop).await;
    if let Some(operators) = operators {
        let _ = operators.await;
    }
    let worked = timeout(timings.answer + 2 * timings.grace, work).await;
    let _ = timeout(timings.grace, store.close()).await;
    match worked {
        Ok(Ok(Err(trouble))) => {
            Err(format!("cannot go on with the inbox {}: {trouble}", store::name(&cli.inbox)).into())
        }
        Ok(Ok(Ok(()))) | Err(_) => Ok(()),
        Ok(Err(panicked)) => Err(panicked.into()),
    }
}

/// Returns a token that is cancelled at SIGTERM, which supervisors send, or at Ctrl-C. A second signal ends the process
/// at once.
fn stop_on_signal() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut next = async move || tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} };
    let stop = CancellationToken::new();
    let first = stop.clone();
    tokio::spawn(async move {
        next().await;
        first.cancel();
        next().await;
        process::exit(1);
    });
    Ok(stop)
}

fn operate(command: &Command, cli: &Cli, timings: Timings) -> Result<(), Error> {
    let timings = Arc::new(Timings { statement: MAX_COMMAND, busy: MAX_COMMAND_BUSY, ..timings });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store: Arc<dyn Store> = store::open(&cli.inbox, false, Plan { channels: Vec::new(), timings }).await?;
        let done = commands::operate(command, store.as_ref()).await;
        store.close().await;
        done
    })
}
