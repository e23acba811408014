//! The log: one line on standard error for each entry, as text or as JSON.

use std::io::{self, Write};
use std::panic::{self, Location};

use serde_json::json;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

/// What to log, and how.
pub struct Log {
    filter: EnvFilter,
    is_json: bool,
}

impl Log {
    /// Reads the two settings. An empty text counts as not set, as for the secrets and the URLs.
    pub fn new(filter: &str, format: &str) -> Result<Self, String> {
        let is_json = is_json(format);
        if !is_json && !matches!(format, "" | "text") {
            return Err("LOG_FORMAT: expected `text` or `json`".to_owned());
        }
        // `EnvFilter` reads a single word that is no level as the name of a module. A misspelled level would then turn
        // the whole log off.
        let is_word = |part: &&str| !part.is_empty() && !part.contains(['=', '[', ':']);
        let is_valid = |part: &str| part.parse::<LevelFilter>().is_ok() || part.starts_with("receiver");
        if let Some(word) = filter.split(',').map(str::trim).filter(is_word).find(|word| !is_valid(word)) {
            return Err(format!("LOG: {word:?} is not a level: expected off, error, warn, info, debug or trace"));
        }
        let filter = if filter.trim().is_empty() { "info" } else { filter };
        let filter = EnvFilter::builder().parse(filter).map_err(|error| format!("LOG: {error}"))?;
        Ok(Self { filter, is_json })
    }

    /// Starts the log. Dropping the guard writes the last lines.
    pub fn start(self) -> WorkerGuard {
        // Lossy: if nobody reads the log, lines are dropped and requests do not wait.
        let (log, guard) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(4_096).finish(io::stderr());
        let format = tracing_subscriber::fmt().with_env_filter(self.filter).with_writer(log).with_ansi(false);
        if self.is_json {
            format.json().flatten_event(true).with_span_list(false).with_target(false).init();
        } else {
            format.with_target(false).init();
        }
        // The default hook prints the message of a panic, which may hold what a visitor wrote. The default hook also
        // blocks if nobody reads standard error.
        panic::set_hook(Box::new(|panic| {
            tracing::error!("panic at {}", panic.location().unwrap_or(Location::caller()));
        }));
        guard
    }
}

/// Whether each line is a JSON object.
pub fn is_json(format: &str) -> bool {
    format == "json"
}

/// Writes why the receiver ends, past the log, which has already ended or has not started.
pub fn last_words(problem: &str, is_json: bool) {
    let line = if is_json {
        json!({ "level": "ERROR", "message": problem }).to_string()
    } else {
        format!("receiver: {problem}")
    };
    // Unlike `eprintln!`, this does not panic if standard error cannot be written.
    let _ = writeln!(io::stderr(), "{line}");
}
