//! Measures the peak heap of one decode of 10 000 items, and divides it by the heap that the result keeps.
//!
//! This is a separate benchmark, because a counting allocator would add instructions to those that `instructions`
//! counts. The numbers are the same in every run. `cargo bench -p twt-chat-webhooks-benches --bench heap` fails if the
//! budget is exceeded.

mod support;

use std::process::ExitCode;

use peak_alloc::PeakAlloc;
use serde_json::Value;
use support::bodies;
use support::rivals::{self, ExactUnreplied};
use twt_chat_webhooks::Payload;

/// Counts the heap in use. When a block grows, both the old and the new block count, which is the worst case.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The largest allowed ratio. When the vector of the items grows, its old block and a new block of twice the size
/// exist at the same time: 1.5 times the new block. So the ratio is at most 1.5 if the items are read straight into
/// the vector. Another buffer would make the ratio larger.
const BUDGET: f64 = 1.5;

fn main() -> ExitCode {
    let body = bodies::with_items(10_000);
    let ours = measure("Payload::from_slice", &body, |body| Payload::from_slice(body).unwrap());
    measure("exact derive", &body, rivals::from_slice::<ExactUnreplied>);
    measure("Value", &body, rivals::from_slice::<Value>);

    if ours > BUDGET {
        println!("the ratio exceeds the budget of {BUDGET}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Returns the peak heap during the decode, divided by the heap that the result keeps.
fn measure<T>(name: &str, body: &str, decode: fn(&[u8]) -> T) -> f64 {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let result = decode(body.as_bytes());
    let peak = HEAP.peak_usage() - before;
    let held = HEAP.current_usage() - before;
    drop(result);

    #[expect(clippy::cast_precision_loss)]
    let ratio = peak as f64 / held as f64;
    println!("{name:<20} result {held:>10} bytes   peak {peak:>10} bytes   ratio {ratio:.2}");
    ratio
}
