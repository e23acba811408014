//! The inbox of a running receiver: the store, the signal that wakes the worker, and the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::{Mutex, watch};

use crate::delivery::Arrival;
use crate::metrics::Metrics;
use crate::store::{Store, Trouble};

#[derive(Clone)]
pub struct Inbox {
    pub store: Arc<dyn Store>,
    /// Tells the worker that there may be something new.
    pub arrivals: watch::Sender<()>,
    pub metrics: Metrics,
    probes: Arc<Probes>,
}

/// The health checks. Checks that wait at the same time share one answer of the database, so that strangers cannot
/// keep the database busy.
#[derive(Default)]
struct Probes {
    asked: AtomicU64,
    /// The number of the last check that was answered, and its answer: whether the inbox was healthy.
    answered: Mutex<(u64, bool)>,
}

impl Inbox {
    pub fn new(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        Self { store, arrivals: watch::Sender::default(), metrics, probes: Arc::default() }
    }

    /// Keeps the records of a delivery, and returns how many are new.
    pub async fn keep(&self, arrival: Arrival) -> Result<usize, Trouble> {
        let begun = Instant::now();
        let new = self.store.keep(arrival).await;
        if new.is_ok() {
            self.metrics.committed(begun.elapsed());
        }
        self.arrivals.send_replace(());
        new
    }

    /// Whether a delivery would be kept now.
    pub async fn probe(&self) -> bool {
        let number = self.probes.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut answered = self.probes.answered.lock().await;
        if answered.0 < number {
            // All checks that have their number by now share the answer.
            let asked = self.probes.asked.load(Ordering::Relaxed);
            *answered = (asked, self.store.probe().await.is_ok());
        }
        answered.1
    }
}
