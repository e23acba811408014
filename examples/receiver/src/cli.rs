//! The command line and the environment.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use twt_chat_webhooks::{AppSecret, Verifier};

/// Takes the webhooks of TWT Chat, keeps each one in an inbox, and works on it until it is done
#[derive(Parser)]
#[command(after_help = "To serve, set TWT_APP_SECRET to the AppSecret of your TWT Chat account. \
    While you change it, set TWT_APP_SECRET_OLD to the one before.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to listen
    #[arg(long, env, default_value = "127.0.0.1:3000")]
    pub addr: String,
    /// The database file that keeps what has been received
    #[arg(long, env, default_value = "twt-chat.sqlite3", global = true)]
    pub inbox: PathBuf,
    /// How many items to work on at a time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: u16,
}

/// What an operator can do, while a receiver serves or not.
#[derive(Subcommand)]
pub enum Command {
    /// List what has been received
    List {
        /// Only what has failed five times or cannot be decoded
        #[arg(long)]
        dead: bool,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Print the raw body in which an item came
    Show { id: i64 },
    /// Put an item back to waiting
    Retry {
        #[arg(required_unless_present = "dead", conflicts_with = "dead")]
        id: Option<i64>,
        /// Every item that is dead
        #[arg(long)]
        dead: bool,
    },
    /// Delete the items that are done. If the platform sends one again after that, it counts as new
    Prune {
        /// Only those received longer ago
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
    },
}

/// The secrets. They are not options, because other users of the machine can see those.
pub fn verifier() -> Result<Verifier, String> {
    let secret = |name: &str| {
        // Empty counts as not set: what starts the receiver often passes on a variable that it lacks.
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        let secret = value.map(|value| AppSecret::new(value.as_encoded_bytes())).transpose();
        secret.map_err(|error| format!("{name}: {error}"))
    };
    let missing = "TWT_APP_SECRET is not set: start with TWT_APP_SECRET=<the AppSecret of your TWT Chat account>";
    let verifier = Verifier::new(secret("TWT_APP_SECRET")?.ok_or(missing)?);
    Ok(match secret("TWT_APP_SECRET_OLD")? {
        Some(old) => verifier.also(old),
        None => verifier,
    })
}
