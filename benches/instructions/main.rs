//! Counts the instructions of the crate and of its rivals, and compares the ratios with budgets.
//!
//! `cargo bench -p twt-chat-webhooks-benches --bench instructions` prints the table and fails if a budget is exceeded.
//! It needs valgrind.
//!
//! Times vary from run to run, but a count is the same in every run of one build. A count changes with the compiler,
//! and by a few percent with other code in the same build. So the budgets are ratios of counts from one run.
//!
//! This benchmark does not use gungraun. gungraun compares a benchmark with an earlier run or with a fixed count, and
//! cannot fail on the ratio of two benchmarks.

#[path = "../support/mod.rs"]
mod support;

mod callgrind;
mod comparisons;
mod constant_time;

use std::env;
use std::process::ExitCode;

use comparisons::{Comparison, Way, comparisons};

fn main() -> ExitCode {
    let comparisons = comparisons();
    let verifications = constant_time::verifications();
    let args: Vec<String> = env::args().skip(1).collect();

    let mut ways = comparisons.iter().flat_map(Comparison::ways).chain(&verifications);
    if let Some((place, iterations)) = callgrind::requested(&args) {
        (ways.nth(place).expect("a way should have this place").run)(iterations);
        return ExitCode::SUCCESS;
    }
    comparisons::check_by_hand();
    if !args.iter().any(|arg| arg == "--bench") {
        // `cargo test --benches` runs this program without `--bench`. Then it only checks that each way works.
        ways.for_each(|way| (way.run)(1));
        return ExitCode::SUCCESS;
    }

    let exceeded = report(&comparisons);
    let is_constant = constant_time::report(&verifications, ways.count() - verifications.len());
    if exceeded > 0 {
        println!("\n{exceeded} budgets are exceeded");
    }
    if exceeded > 0 || !is_constant { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints the table, and returns how many budgets are exceeded.
fn report(comparisons: &[Comparison]) -> u32 {
    let mut places = 0..;
    let mut count = |way: &Way| {
        // Ten iterations for a small body. One is enough for a large body, where differences between iterations are
        // negligible.
        let iterations = 10_u32.div_ceil(way.items);
        let place = places.next().expect("every way should have a place");
        callgrind::count(place, iterations) / f64::from(way.items)
    };

    let mut exceeded = 0;
    println!("{:44}{:>14}{:>8}{:>8}", "", "instructions", "ratio", "budget");
    for Comparison { ours, rivals } in comparisons {
        let our_count = count(ours);
        println!("{:44}{our_count:>14.0}", ours.name);
        for rival in rivals {
            let count = count(&rival.way);
            let ratio = our_count / count;
            print!("  {:42}{count:>14.0}{ratio:>8.3}", rival.way.name);
            match rival.budget {
                Some(budget) if ratio > budget => {
                    exceeded += 1;
                    println!("{budget:>8.2}  over");
                }
                Some(budget) => println!("{budget:>8.2}"),
                None => println!(),
            }
        }
    }
    exceeded
}
