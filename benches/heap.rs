//! How much heap one decode of 10 000 items holds at its peak, against what its result keeps.
//!
//! A benchmark of its own, since an allocator that counts would add its instructions to those of `instructions`.
//! Both numbers are the same in every run. `cargo bench -p twt-chat-webhooks-benches --bench heap` fails when the
//! budget is exceeded.

mod support;

use std::process::ExitCode;

use peak_alloc::PeakAlloc;
use serde_json::Value;
use support::bodies;
use support::rivals::{self, ExactUnreplied};
use twt_chat_webhooks::Payload;

/// Moving a block to a larger one counts as both at once, which is the worst that an allocator does.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// A vector that doubles holds half of itself a second time when it last grows, so that 1.5 is the ceiling
/// for reading items straight into their place. Any other buffer shows as more.
const BUDGET: f64 = 1.5;

fn main() -> ExitCode {
    let body = bodies::with_items(10_000);
    let ours = measure("Payload::from_slice", &body, |body| Payload::from_slice(body).unwrap());
    measure("exact derive", &body, rivals::from_slice::<ExactUnreplied>);
    measure("Value", &body, rivals::from_slice::<Value>);

    if ours > BUDGET {
        println!("over the budget of {BUDGET}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The peak during the decode as a multiple of what its result holds.
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
