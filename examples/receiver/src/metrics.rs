//! What the receiver counts about itself, for Prometheus.
//!
//! The counters are of this process. The gauges about rows are of the inbox, so all receivers of an inbox show the
//! same values: use `max`, not `sum`, over several receivers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use twt_chat_webhooks::EventType;

use crate::channel::Channel;
use crate::store::{Outcome, Standing, lane_name};

/// The start of the name of each metric.
const PREFIX: &str = "twt_chat";
/// The upper bounds of the histogram, in seconds. A delivery that takes longer than 3 s is answered 503.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 3.0];
/// The label for an unknown event. The name of such an event can be any text, so the label does not show the name.
const OTHER: &str = "other";
/// The label for the work, which is no channel.
pub const WORK: &str = "work";
/// The label for a delivery whose event was not read, for example because its signature is wrong.
pub const NO_EVENT: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    status: u16,
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempted {
    channel: &'static str,
    outcome: &'static str,
}

/// What the receiver counts while it runs.
#[derive(Clone)]
pub struct Metrics {
    deliveries: Family<Answered, Counter>,
    attempts: Family<Attempted, Counter>,
    commits: Histogram,
    connections: Family<[(&'static str, &'static str); 1], Gauge>,
    registry: Arc<Registry>,
    /// The channels that are set.
    pub channels: Arc<[Channel]>,
}

impl Metrics {
    pub fn new(channels: Vec<Channel>) -> Self {
        let (deliveries, attempts) = (Family::default(), Family::default());
        let (commits, connections) = (Histogram::new(BOUNDS), Family::default());
        // Prometheus sees no increase in a series that begins with 1. So each series that matters begins with 0.
        for event in EventType::DOCUMENTED.iter().map(EventType::as_str).chain([OTHER, NO_EVENT]) {
            for status in [200, 403, 503] {
                if status != 403 || event == NO_EVENT {
                    drop(deliveries.get_or_create(&Answered { status, event }));
                }
            }
        }
        for channel in lanes(&channels) {
            for outcome in ["done", "failed"] {
                drop(attempts.get_or_create(&Attempted { channel: label(channel), outcome }));
            }
        }
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("build", "The version of the receiver", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("deliveries", "Deliveries, by the status of the answer and the event", deliveries.clone());
        registry.register("attempts", "Attempts to work or to send a message, by outcome", attempts.clone());
        let help = "Time until the inbox had kept a delivery";
        registry.register_with_unit("commit_duration", help, Unit::Seconds, commits.clone());
        registry.register("open_connections", "Open connections, by port", connections.clone());
        Self { deliveries, attempts, commits, connections, registry: Arc::new(registry), channels: channels.into() }
    }

    /// The number of open connections of a port.
    pub fn connections(&self, port: &'static str) -> Gauge {
        self.connections.get_or_create_owned(&[("port", port)])
    }

    /// Counts a delivery that is answered.
    pub fn answered(&self, status: u16, event: &'static str) {
        self.deliveries.get_or_create(&Answered { status, event }).inc();
    }

    /// Counts attempts whose outcome is noted in the inbox.
    pub fn attempted(&self, lane: Option<Channel>, ended: &[Outcome]) {
        for Outcome { result, .. } in ended {
            let outcome = if result.is_ok() { "done" } else { "failed" };
            self.attempts.get_or_create(&Attempted { channel: label(lane), outcome }).inc();
        }
    }

    /// Notes how long the inbox took for a delivery that it has kept.
    pub fn committed(&self, took: Duration) {
        self.commits.observe(took.as_secs_f64());
    }

    /// Writes everything in the text format of Prometheus. `None` means that the inbox has not answered.
    pub fn write(&self, standings: Option<Vec<Standing>>) -> Result<String, fmt::Error> {
        let mut rows = Registry::with_prefix(PREFIX);
        let up = Gauge::<i64>::default();
        up.set(standings.is_some().into());
        rows.register("inbox_up", "1 if the inbox answered this scrape, else 0", up);
        if let Some(standings) = standings {
            register_rows(&mut rows, &self.all_lanes(standings));
        }
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        prometheus_text::encode(&mut text, &rows)?;
        Ok(text)
    }

    /// Adds an empty standing for the work and for each channel that is set, if it is missing. The inbox leaves out
    /// lanes whose rows are all done.
    pub fn all_lanes(&self, mut standings: Vec<Standing>) -> Vec<Standing> {
        for lane in lanes(&self.channels) {
            let name = lane_name(lane);
            if standings.iter().all(|standing| standing.channel != name) {
                standings.push(Standing { channel: name.to_owned(), ..Standing::default() });
            }
        }
        standings.sort_by(|one, other| one.channel.cmp(&other.channel));
        standings
    }
}

fn register_rows(registry: &mut Registry, standings: &[Standing]) {
    let rows = Family::<[(&str, String); 2], Gauge>::default();
    let ages = Family::<[(&str, String); 1], Gauge<f64, AtomicU64>>::default();
    for Standing { channel, waiting, in_work, dead, oldest } in standings {
        let channel = lane_label(channel);
        for (state, number) in [("waiting", waiting), ("in_work", in_work), ("dead", dead)] {
            rows.get_or_create(&[("channel", channel.to_owned()), ("state", state.to_owned())]).set(*number);
        }
        ages.get_or_create(&[("channel", channel.to_owned())]).set(oldest.unwrap_or_default().as_secs_f64());
    }
    registry.register("rows", "Rows of the inbox that are not done, by channel and state", rows);
    let help = "Time since the oldest row that is not done and not dead was received, 0 without one";
    registry.register_with_unit("oldest_waiting_age", help, Unit::Seconds, ages);
}

/// The label for an event.
pub fn event(event: Option<&EventType>) -> &'static str {
    let documented = |event| EventType::DOCUMENTED.iter().find(|known| *known == event);
    event.map_or(NO_EVENT, |event| documented(event).map_or(OTHER, EventType::as_str))
}

/// The label for a channel, or for the work.
fn label(lane: Option<Channel>) -> &'static str {
    lane.map_or(WORK, Channel::name)
}

/// The label for a lane with this name in the inbox, where the work has the empty name.
pub fn lane_label(name: &str) -> &str {
    if name.is_empty() { WORK } else { name }
}

/// The work, and the channels.
fn lanes(channels: &[Channel]) -> impl Iterator<Item = Option<Channel>> {
    std::iter::once(None).chain(channels.iter().copied().map(Some))
}
