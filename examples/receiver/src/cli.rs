//! The command line and the environment.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use twt_chat_webhooks::{AppSecret, Verifier};

use crate::forward::Webhook;
use crate::message::Channel;
use crate::timings::Timings;

/// Takes the webhooks of TWT Chat, keeps each one in an inbox, and works on it until it is done
#[derive(Parser)]
#[command(after_help = "To serve, set TWT_APP_SECRET to the AppSecret of your TWT Chat account. \
    While you change the AppSecret, set TWT_APP_SECRET_OLD to the previous one. \
    To forward each item to chat channels, set SLACK_WEBHOOK_URL, FEISHU_WEBHOOK_URL, DINGTALK_WEBHOOK_URL or \
    WECOM_WEBHOOK_URL, and FEISHU_SECRET or DINGTALK_SECRET if the channel checks signatures.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to listen
    #[arg(long, env, default_value = "127.0.0.1:3000")]
    pub addr: String,
    /// The database that keeps what has been received: a SQLite file, or `postgres://USER@HOST/DATABASE`
    // The help would otherwise show the value of the variable, which may hold a password.
    #[arg(long, env, hide_env_values = true, default_value = "twt-chat.sqlite3", global = true)]
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
        /// Only what has failed too often or cannot be decoded
        #[arg(long)]
        dead: bool,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Print a request body with the item of a row
    Show { id: i64 },
    /// Put a row back to waiting
    Retry {
        #[arg(required_unless_present = "dead", conflicts_with = "dead")]
        id: Option<i64>,
        /// Every row that is dead
        #[arg(long)]
        dead: bool,
    },
    /// Copy a SQLite inbox to a new file, also while a receiver serves
    Backup { file: PathBuf },
    /// Delete the rows that are done. If the platform sends such an item again, it counts as new
    Prune {
        /// Only those received longer ago
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
    },
}

/// Reads the secrets and the webhooks of the channels from the environment. They are not options, because other users
/// of the machine can see the options of a process.
pub fn settings(timings: &Timings) -> Result<(Verifier, Vec<Webhook>), String> {
    let webhooks = Channel::ALL.into_iter().filter_map(|channel| webhook(channel, timings).transpose());
    Ok((verifier()?, webhooks.collect::<Result<_, _>>()?))
}

fn verifier() -> Result<Verifier, String> {
    let secret = |name: &str| {
        let secret = variable(name).map(|value| AppSecret::new(value.as_encoded_bytes())).transpose();
        secret.map_err(|error| format!("{name}: {error}"))
    };
    let missing = "TWT_APP_SECRET is not set: start with TWT_APP_SECRET=<the AppSecret of your TWT Chat account>";
    let verifier = Verifier::new(secret("TWT_APP_SECRET")?.ok_or(missing)?);
    Ok(match secret("TWT_APP_SECRET_OLD")? {
        Some(old) => verifier.also(old),
        None => verifier,
    })
}

fn webhook(channel: Channel, timings: &Timings) -> Result<Option<Webhook>, String> {
    let name = channel.name().to_uppercase();
    let Some(url) = variable(&format!("{name}_WEBHOOK_URL")) else { return Ok(None) };
    let secret = match channel {
        Channel::Feishu | Channel::DingTalk => variable(&format!("{name}_SECRET")),
        Channel::Slack | Channel::WeCom => None,
    };
    let secret = secret.map(|secret| match secret.into_string() {
        Ok(secret) if secret.trim() == secret => Ok(secret),
        _ => Err(format!("{name}_SECRET: expected a text without white space around it")),
    });
    // The URL holds a credential, so the problem does not quote it.
    let invalid = || format!("{name}_WEBHOOK_URL: expected an http or https URL");
    let webhook = Webhook::new(channel, url.to_str().ok_or_else(invalid)?, secret.transpose()?, timings.answer);
    webhook.map(Some).ok_or_else(invalid)
}

/// The value of a variable. An empty value counts as not set, because a script that has no value for a variable often
/// sets it to an empty text.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
