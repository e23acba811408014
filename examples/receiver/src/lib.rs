//! A receiver for the webhooks of TWT Chat that loses nothing.
//!
//! A delivery is verified (`server`), taken apart (`delivery`) and committed (`inbox`) before it is answered 200. After
//! that, each item is worked on (`worker`) and forwarded to each channel (`forward`) until that is done.

// A library cannot require a feature as a binary can.
#![cfg(feature = "signature")]

mod cli;
mod delivery;
mod forward;
mod inbox;
#[path = "../../relay/message.rs"]
mod message;
pub mod server;
mod worker;

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::panic::{self, Location};
use std::path::Path;
use std::process::{self, ExitCode};

use clap::Parser;
use rusqlite::OpenFlags;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::NonBlockingBuilder;
use twt_chat_webhooks::Verifier;

use crate::cli::{Cli, Command};
use crate::forward::{MAX_TIME, Webhook};
use crate::inbox::Inbox;
use crate::server::GRACE;
use crate::worker::Work;
pub use crate::worker::{Error, Item};

/// Serves, or does what else the command line says.
pub fn run(work: Work) -> ExitCode {
    let cli = Cli::parse();
    let (code, done) = match &cli.command {
        Some(command) => (1, operate(command, &cli)),
        None => match cli::settings() {
            Err(problem) => (2, Err(problem.into())),
            Ok((verifier, webhooks)) => (1, start(&cli, verifier, webhooks, work)),
        },
    };
    let Err(problem) = done else { return ExitCode::SUCCESS };
    // Unlike `eprintln!`, this does not panic if nobody reads it.
    let _ = writeln!(io::stderr(), "receiver: {problem}");
    ExitCode::from(code)
}

fn start(cli: &Cli, verifier: Verifier, webhooks: Vec<Webhook>, work: Work) -> Result<(), Error> {
    // Lossy: if nobody reads the log, lines are dropped and requests do not wait.
    let (log, guard) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(4_096).finish(io::stderr());
    tracing_subscriber::fmt().with_writer(log).with_ansi(false).with_target(false).init();
    // The default hook prints the message of a panic, which may hold what a visitor wrote. It also waits if nobody
    // reads standard error.
    panic::set_hook(Box::new(|panic| tracing::error!("panic at {}", panic.location().unwrap_or(Location::caller()))));
    let inbox = open(cli, OpenFlags::SQLITE_OPEN_CREATE)?;
    let lock = lock_file(&cli.inbox)?;

    let runtime = Runtime::new()?;
    let served = runtime.block_on(async {
        let stop = stop_on_signal()?;
        let cannot_listen = |error| format!("cannot listen on {}: {error}", cli.addr);
        let listener = TcpListener::bind(&cli.addr).await.map_err(cannot_listen)?;
        tracing::info!("listening on {}", listener.local_addr()?);
        for webhook in &webhooks {
            tracing::info!("forwarding to {}", webhook.channel.name());
        }
        let inbox = Inbox::new(inbox, webhooks.iter().map(|webhook| webhook.channel).collect());
        let worker = tokio::spawn(worker::run(inbox.clone(), lock, cli.workers.into(), work, webhooks, stop.clone()));
        server::serve(listener, server::router(verifier, inbox), stop).await;
        Ok(timeout(MAX_TIME + GRACE, worker).await.unwrap_or(Ok(()))?)
    });
    // Dropping the guard writes the last lines of the log. If nobody reads the log, the receiver waits at most `GRACE`
    // for this. `shutdown_background` does not wait for work that blocks a thread.
    let last_lines = tokio::task::spawn_blocking;
    let _ = runtime.block_on(async { timeout(GRACE, last_lines(|| drop(guard))).await });
    runtime.shutdown_background();
    served
}

/// Opens the lock file. The receiver that works on the inbox holds a lock on this file. The database file cannot take
/// its place, because the database has its own locks on that file.
fn lock_file(inbox: &Path) -> io::Result<File> {
    let mut path = inbox.as_os_str().to_owned();
    path.push("-lock");
    File::create(path)
}

fn open(cli: &Cli, flags: OpenFlags) -> Result<rusqlite::Connection, Error> {
    inbox::open(&cli.inbox, flags)
        .map_err(|error| format!("cannot open the inbox {}: {error}", cli.inbox.display()).into())
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

fn operate(command: &Command, cli: &Cli) -> Result<(), Error> {
    let inbox = open(cli, OpenFlags::empty())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match *command {
        Command::List { dead, json } => list(&inbox, dead, json, &mut out),
        Command::Show { id } => {
            out.write_all(&inbox::body(&inbox, id)?.ok_or_else(|| format!("there is no row {id}"))?)
        }
        Command::Retry { id, .. } => match (id, inbox::retry(&inbox, id)?) {
            (Some(id), 0) => return Err(format!("there is no row {id}, or it is being worked on").into()),
            (_, rows) => writeln!(out, "rows put back to waiting: {rows}"),
        },
        Command::Prune { older_than } => writeln!(out, "rows deleted: {}", inbox::prune(&inbox, older_than)?),
    };
    match written.and_then(|()| out.flush()) {
        // The reader has seen enough, as in `receiver list | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn list(inbox: &rusqlite::Connection, dead: bool, json: bool, out: &mut impl Write) -> io::Result<()> {
    let mut last = 0;
    loop {
        let lines = inbox::list(inbox, dead, json, last).map_err(io::Error::other)?;
        let Some((id, _)) = lines.last() else { return Ok(()) };
        last = *id;
        lines.iter().try_for_each(|(_, line)| writeln!(out, "{}", line.trim_end()))?;
    }
}
