//! Counting the instructions of one iteration, through `valgrind --tool=callgrind`.

use std::env;
use std::process::Command;
use std::thread;

/// Marks the command line of a process that is counted: `--count PLACE ITERATIONS`.
const COUNT: &str = "--count";

/// What this process was started to run, if [`count`] started it.
pub fn requested(args: &[String]) -> Option<(usize, u32)> {
    match args {
        [flag, place, iterations] if flag == COUNT => Some((place.parse().ok()?, iterations.parse().ok()?)),
        _ => None,
    }
}

/// The instructions of one iteration, once `iterations` have warmed up the allocator.
#[expect(clippy::cast_precision_loss)]
pub fn count(place: usize, iterations: u32) -> f64 {
    count_all(place, iterations) as f64 / f64::from(iterations)
}

/// The instructions of `iterations`, after as many that are not counted.
///
/// Two runs of this program that differ in nothing but the number of iterations: what they do not share is what the
/// further iterations cost. Start-up, setting up the case and the dynamic linker cancel, and no symbol has to be found.
pub fn count_all(place: usize, iterations: u32) -> u64 {
    // Both at once, because valgrind uses one core.
    let (once, twice) = thread::scope(|scope| {
        let once = scope.spawn(|| run(place, iterations));
        let twice = run(place, 2 * iterations);
        (once.join().expect("a count"), twice)
    });
    twice - once
}

/// The instructions of a whole process.
fn run(place: usize, iterations: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("the path of this program"))
        .args([COUNT, &place.to_string(), &iterations.to_string()])
        .output()
        .expect("valgrind should be installed");

    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    log.lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, total)| total.trim().parse().ok())
        .unwrap_or_else(|| panic!("no total in the log of callgrind:\n{log}"))
}
