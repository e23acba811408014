//! The commands for operators. They work whether a receiver serves or not.

use std::io::{self, BufWriter, ErrorKind, Write};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::cli::Command;
use crate::store::{Prune, Retry, Row, Store, Trouble};

pub async fn operate(command: &Command, store: &dyn Store) -> Result<(), Error> {
    if matches!(command, Command::Retry { .. } | Command::Delete { .. }) {
        // A row that a killed receiver had in work still counts as in work, so the command would leave it alone.
        // `tidy` first puts such rows back to waiting.
        store.tidy().await?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match command {
        Command::Backup { file } => store.backup(file).await.map_err(Error::from),
        &Command::List { dead, json } => list(store, dead, json, &mut out).await,
        &Command::Show { id } => {
            let body = store.body(id).await?.ok_or_else(|| format!("there is no row {id}"))?;
            out.write_all(&body).map_err(Error::from)
        }
        &Command::Retry { id, .. } => {
            let rows = match id {
                Some(id) => store.retry(Retry::One(id)).await?,
                None => until_none_is_left(|| store.retry(Retry::Dead)).await?,
            };
            if let (Some(id), 0) = (id, rows) {
                return Err(format!("there is no row {id}, or it is being worked on").into());
            }
            writeln!(out, "rows put back to waiting: {rows}").map_err(Error::from)
        }
        &Command::Delete { id } => match store.delete(id).await? {
            None => return Err(format!("there is no row {id}, or it is being worked on").into()),
            Some(0) => writeln!(out, "row deleted, and the request body with it").map_err(Error::from),
            Some(left) => writeln!(out, "row deleted; other rows of the item, which keep the request body: {left}")
                .map_err(Error::from),
        },
        Command::Prune { older_than, dead, event } => {
            let prune = Prune { days: *older_than, dead: *dead, event: event.clone() };
            let rows = until_none_is_left(|| store.prune(&prune)).await?;
            writeln!(out, "rows deleted: {rows}").map_err(Error::from)
        }
    };
    let written = written.and_then(|()| out.flush().map_err(Error::from));
    match written {
        // The reader has seen enough, as in `receiver list | head`.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => {
            Ok(())
        }
        written => written,
    }
}

/// Changes some rows at a time, until none are left. Returns how many there were. After each step, waits for the time
/// that the step took. Otherwise, the receivers would have to wait too long until they can write to a SQLite file.
async fn until_none_is_left(change: impl AsyncFn() -> Result<u64, Trouble>) -> Result<u64, Trouble> {
    let mut all = 0;
    loop {
        let begun = Instant::now();
        match change().await? {
            0 => return Ok(all),
            rows => all += rows,
        }
        sleep(begun.elapsed()).await;
    }
}

async fn list(store: &dyn Store, dead: bool, json: bool, out: &mut impl Write) -> Result<(), Error> {
    let mut last = 0;
    loop {
        let rows = store.list(dead, last).await?;
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.id;
        for row in &rows {
            if json { as_json(row, out)? } else { as_text(row, out)? }
        }
    }
}

/// Writes a JSON object. A `Value` would sort the keys; this keeps them in the order below.
fn as_json(row: &Row, out: &mut impl Write) -> io::Result<()> {
    let channel = Some(&row.channel).filter(|channel| !channel.is_empty());
    let wait = row.wait.as_ref();
    let fields: [(&str, Value); 9] = [
        ("id", row.id.into()),
        ("event", json!(row.event)),
        ("channel", json!(channel)),
        ("state", json!(row.state)),
        ("received_at", json!(row.received_at)),
        ("attempts", row.attempts.into()),
        ("problem", json!(row.problem)),
        ("waits_until", json!(wait.map(|wait| &wait.until))),
        ("waits_for", json!(wait.map(|wait| wait.reason))),
    ];
    for (index, (key, value)) in fields.iter().enumerate() {
        write!(out, "{}\"{key}\":{value}", if index == 0 { '{' } else { ',' })?;
    }
    writeln!(out, "}}")
}

fn as_text(
    Row { id, event, channel, state, wait, received_at, attempts, problem }: &Row,
    out: &mut impl Write,
) -> io::Result<()> {
    let channel = if channel.is_empty() { "-" } else { channel };
    let (event, problem) = (event.as_deref().unwrap_or("-"), problem.as_deref().unwrap_or_default());
    let wait = wait.as_ref().map_or(String::new(), |wait| format!(" ({wait})"));
    let line = format!("{id:6} {received_at} {state:7} {attempts:2} {channel:8} {event} {problem}");
    let line = format!("{}{wait}", line.trim_end());
    writeln!(out, "{line}")
}
