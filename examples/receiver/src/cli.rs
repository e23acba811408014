//! The command line and the environment.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use twt_chat_webhooks::{AppSecret, Verifier};

use crate::channel::Channel;
use crate::forward::{Webhook, is_usable_proxy};
use crate::store;
use crate::timings::Timings;

/// Takes the webhooks of TWT Chat, keeps each one in an inbox, and works on it until it is done or dead
#[derive(Parser)]
#[command(version, after_help = variables())]
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
    /// Where to show the metrics and the page for operators, which has no login. If not set, nowhere
    #[arg(long, env)]
    pub admin_addr: Option<String>,
    /// What to log: a filter such as `warn` or `info,receiver::server=off`
    #[arg(long, env, default_value = "info")]
    pub log: String,
    /// The format of the log: `text` or `json`
    #[arg(long, env, default_value = "text")]
    pub log_format: String,
}

impl Cli {
    /// Finds what is wrong with the addresses and the inbox before anything is opened.
    pub fn check(&self) -> Result<(), String> {
        store::check(&self.inbox)?;
        let is_address = |address: &str| {
            let parts = address.rsplit_once(':');
            parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        for (name, address) in [("ADDR", Some(self.addr.as_str())), ("ADMIN_ADDR", self.admin())] {
            if address.is_some_and(|address| !is_address(address)) {
                return Err(format!("{name}: expected an address and a port, such as 127.0.0.1:3000"));
            }
        }
        Ok(())
    }

    /// The address for operators. An empty text counts as not set.
    pub fn admin(&self) -> Option<&str> {
        self.admin_addr.as_deref().filter(|address| !address.is_empty())
    }
}

/// The commands for operators. They work whether a receiver serves or not.
#[derive(Subcommand)]
pub enum Command {
    /// List what has been received
    List {
        /// Only the rows that are dead
        #[arg(long)]
        dead: bool,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Print the request body of a row, without the items of other rows
    Show { id: i64 },
    /// Put a row back to waiting, and lift the pause that its channel asked for
    Retry {
        #[arg(required_unless_present = "dead", conflicts_with = "dead")]
        id: Option<i64>,
        /// Every row that is dead. Also lifts the pauses that the channels of these rows asked for
        #[arg(long)]
        dead: bool,
    },
    /// Copy a SQLite inbox to a new file, also while a receiver serves
    Backup { file: PathBuf },
    /// Delete a row. With the last row of an item, the request body is deleted too. If the platform then sends the
    /// item again, the item counts as new
    Delete { id: i64 },
    /// Delete the rows that are done, but not those of an unknown event. An item whose last row is deleted counts as
    /// new if the platform sends it again
    Prune {
        /// Only rows that were received more than this number of days ago
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=36_500))]
        older_than: u32,
        /// The rows that are dead, instead of those that are done
        #[arg(long)]
        dead: bool,
        /// Only the rows of this event, named as `list` shows it. The rows of an unknown event are only deleted with
        /// this option
        #[arg(long, value_name = "NAME")]
        event: Option<String>,
    },
}

/// The end of the help.
fn variables() -> String {
    let urls: Vec<_> = Channel::ALL.iter().map(|channel| url_variable(channel.name())).collect();
    let secrets: Vec<_> = Channel::ALL.iter().filter_map(|channel| secret_variable(*channel)).collect();
    format!(
        "To serve, set TWT_APP_SECRET to the AppSecret of your TWT Chat account. While you change the AppSecret, set \
         TWT_APP_SECRET_OLD to the previous one. To forward each item to chat channels, set one or more of {}. If a \
         channel checks signatures, set its secret: {}. To keep each delivery that is more than ten minutes older or \
         newer as a dead letter, set TOLERANCE=10m.",
        urls.join(", "),
        secrets.join(", ")
    )
}

/// The variable for the URL of the channel with this name.
pub fn url_variable(channel: &str) -> String {
    format!("{}_WEBHOOK_URL", channel.to_uppercase())
}

/// `None` if the channel has no signatures.
fn secret_variable(channel: Channel) -> Option<String> {
    channel.signature.map(|_| format!("{}_SECRET", channel.name().to_uppercase()))
}

/// Reads the secrets and the URLs of the channels from the environment. These are not options, because other users of
/// the machine can see the options of a process.
pub fn settings(timings: &Timings) -> Result<(Verifier, Vec<Webhook>), String> {
    let webhooks = Channel::ALL.iter().filter_map(|channel| webhook(*channel, timings).transpose());
    let (verifier, webhooks) = (verifier()?, webhooks.collect::<Result<Vec<_>, _>>()?);
    if !webhooks.is_empty() {
        check_proxies()?;
    }
    Ok((verifier, webhooks))
}

/// How much older or newer a delivery may be, from `TOLERANCE`. `None` allows any age.
pub fn tolerance() -> Result<Option<Duration>, String> {
    let Some(value) = variable("TOLERANCE") else { return Ok(None) };
    let tolerance = value.to_str().and_then(|value| humantime::parse_duration(value).ok());
    let expected = "TOLERANCE: expected a time such as 90s, 10m or 2h";
    tolerance.filter(|tolerance| !tolerance.is_zero()).map(Some).ok_or_else(|| expected.to_owned())
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
    let url_name = url_variable(channel.name());
    let secret = secret_variable(channel).and_then(|name| Some((variable(&name)?, name)));
    let Some(url) = variable(&url_name) else {
        return match secret {
            None => Ok(None),
            Some((_, name)) => Err(format!("{name} is set, but {url_name} is not: set both or none")),
        };
    };
    let secret = secret.map(|(secret, name)| match secret.into_string() {
        Ok(secret) if secret.trim() == secret => Ok(secret),
        _ => Err(format!("{name}: expected a text without white space around it")),
    });
    // The URL holds a credential, so the problem does not quote it.
    let invalid = || format!("{url_name}: expected an http or https URL");
    let webhook = Webhook::new(channel, url.to_str().ok_or_else(invalid)?, secret.transpose()?, timings.answer);
    webhook.map(Some).ok_or_else(invalid)
}

/// Checks the variables from which `ureq` takes a proxy. `ureq` itself would ignore a value that it cannot use, and the
/// messages would not go through the proxy.
fn check_proxies() -> Result<(), String> {
    for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        // The value may hold a password, so the problem does not quote it.
        if variable(name).is_some_and(|value| !value.to_str().is_some_and(is_usable_proxy)) {
            return Err(format!("{name}: expected the URL of an HTTP proxy, such as http://proxy.example.com:3128"));
        }
    }
    Ok(())
}

/// The value of a variable. An empty value counts as not set, because a script that has no value for a variable often
/// sets it to an empty text.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
