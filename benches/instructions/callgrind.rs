//! Counts the instructions of one iteration with `valgrind --tool=callgrind`.

use std::env;
use std::process::Command;
use std::thread;

/// The option that makes this program run only one [`Way`](crate::comparisons::Way): `--count PLACE ITERATIONS`. The
/// place is the index of the way in the list of all ways.
const COUNT_OPTION: &str = "--count";

/// The two arguments of [`COUNT_OPTION`], or `None` if [`run`] has not started this process.
pub fn requested(args: &[String]) -> Option<(usize, u32)> {
    match args {
        [flag, place, iterations] if flag == COUNT_OPTION => Some((place.parse().ok()?, iterations.parse().ok()?)),
        _ => None,
    }
}

/// Counts the instructions of one iteration, as the mean of `iterations` iterations. The same number of iterations
/// runs first, to warm up the allocator, and is not counted.
#[expect(clippy::cast_precision_loss)]
pub fn count(place: usize, iterations: u32) -> f64 {
    count_all(place, iterations) as f64 / f64::from(iterations)
}

/// Counts the instructions of `iterations` iterations. The same number of iterations runs first, and is not counted.
///
/// This program runs twice, the second time with twice as many iterations. The difference is the cost of the additional
/// iterations. The cost of the start-up, of the dynamic linker and of the preparation cancels out.
pub fn count_all(place: usize, iterations: u32) -> u64 {
    // Both runs go on at once, because valgrind uses one core.
    let (once, twice) = thread::scope(|scope| {
        let once = scope.spawn(|| run(place, iterations));
        let twice = run(place, 2 * iterations);
        (once.join().expect("the count should succeed"), twice)
    });
    twice - once
}

/// The instructions of a whole process.
fn run(place: usize, iterations: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("this program should have a path"))
        .args([COUNT_OPTION, &place.to_string(), &iterations.to_string()])
        .output()
        .expect("valgrind should be installed");

    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    log.lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, total)| total.trim().parse().ok())
        .unwrap_or_else(|| panic!("the log of callgrind has no total:\n{log}"))
}
