//! How much the crate adds to the size of a program, compared with the idiomatic derive.
//!
//! `cargo bench -p twt-chat-webhooks-benches --bench size` builds the programs in `programs/` as a user's
//! package would, and fails if a budget is exceeded. It also prints the CPU time that the compiler needs for the crate
//! alone.
//!
//! The size of a program changes with the compiler. So the budgets are ratios of sizes that one toolchain produced,
//! with the versions of the dependencies in the repository's Cargo.lock.

mod consumer;

use std::env;
use std::process::ExitCode;

use consumer::Consumer;
use twt_chat_webhooks::fixtures::UNREPLIED;

/// The profiles, each with its budget. The budget limits the size that the crate adds, divided by the size that the
/// derive adds.
const PROFILES: [(&str, f64); 2] = [("release", 1.34), ("small", 1.16)];

fn main() -> ExitCode {
    // `cargo test --benches` runs this program too, without `--bench`. The builds would take too long there.
    if !env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let consumer = Consumer::create();
    let exceeded = report_sizes(&consumer);
    report_build_time(&consumer);
    if exceeded > 0 {
        println!("\n{exceeded} budgets are exceeded");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints the sizes of the stripped programs, and returns how many budgets are exceeded.
fn report_sizes(consumer: &Consumer) -> u32 {
    let mut exceeded = 0;
    println!("{:44}{:>14}{:>8}{:>8}{:>8}", "", "bytes", "adds", "ratio", "budget");
    for (profile, budget) in PROFILES {
        let [baseline, ours, derive] = ["baseline", "ours", "derive"].map(|name| consumer.size(name, profile));
        for program in ["ours", "derive"] {
            assert_eq!(consumer.output(program, profile, UNREPLIED), "1\n", "{program} should count the items");
        }
        println!("{:44}{baseline:>14}", format!("{profile}: an empty program"));
        println!("  {:42}{ours:>14}{:>8}", "Payload::from_slice", ours - baseline);
        print!("  {:42}{derive:>14}{:>8}", "from_slice, idiomatic derive", derive - baseline);

        let ratio = f64::from(ours - baseline) / f64::from(derive - baseline);
        let over = ratio > budget;
        exceeded += u32::from(over);
        println!("{ratio:>8.3}{budget:>8.2}{}", if over { "  over" } else { "" });

        // What encoding adds to the programs that decode.
        for (name, decodes, program) in
            [("Payload::to_vec", ours, "ours_encode"), ("to_vec, idiomatic derive", derive, "derive_encode")]
        {
            let size = consumer.size(program, profile);
            let output = consumer.output(program, profile, UNREPLIED);
            assert!(output.contains(r#""visitor_name":"Visitor15""#), "{program} should encode the item");
            println!("  {name:42}{size:>14}{:>8}", size - decodes);
        }
    }
    exceeded
}

/// Prints the CPU time that the compiler needs for the crate alone. It depends on the machine, so it has no budget.
fn report_build_time(consumer: &Consumer) {
    println!("\n{:44}{:>14}", "compiling the crate alone", "CPU seconds");
    for profile in ["release", "dev"] {
        println!("  {profile:42}{:>14.2}", consumer.compile_crate(profile));
    }
}
