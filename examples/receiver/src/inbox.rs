//! The inbox of a running receiver: the store, and what tells the worker of arrivals.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::delivery::Arrival;
use crate::metrics::Metrics;
use crate::store::{Store, Trouble};

#[derive(Clone)]
pub struct Inbox {
    pub store: Arc<dyn Store>,
    /// Tells the worker that there may be something new.
    pub arrivals: watch::Sender<()>,
    pub metrics: Metrics,
}

impl Inbox {
    pub fn new(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        Self { store, arrivals: watch::Sender::default(), metrics }
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
}
