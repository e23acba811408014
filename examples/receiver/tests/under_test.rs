//! The receiver with the work function of the tests. This function does what the visitor's message says.
//!
//! The variable `WORK` names a file. The function adds a line to the file when the work on an item begins, and another
//! line when the work is done. From these lines, the tests can tell what was worked on, and how often. The tests do
//! not have to rely on what the receiver notes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, future};

use receiver::{Error, Item, Timings};
use tokio::time::sleep;

fn main() -> ExitCode {
    receiver::run_with(|item| Box::pin(work(item)), timings())
}

/// The real times, except for those that the variable `TIMINGS` names, in milliseconds: `read=500 work_pauses=1,2,3,4`.
fn timings() -> Timings {
    let mut timings = Timings::default();
    let variable = env::var("TIMINGS").unwrap_or_default();
    for (name, value) in variable.split_whitespace().filter_map(|setting| setting.split_once('=')) {
        let pauses: Vec<_> = value.split(',').map(|value| Duration::from_millis(value.parse().unwrap())).collect();
        let Timings { read, write, age, grace, answer, work, look, remind, busy, silence, statement, idle, .. } =
            &mut timings;
        let one = match name {
            "work_pauses" => {
                timings.work_pauses = pauses;
                continue;
            }
            "channel_pauses" => {
                timings.channel_pauses = pauses;
                continue;
            }
            "read" => read,
            "write" => write,
            "age" => age,
            "grace" => grace,
            "answer" => answer,
            "work" => work,
            "look" => look,
            "remind" => remind,
            "busy" => busy,
            "silence" => silence,
            "statement" => statement,
            "idle" => idle,
            _ => panic!("there is no time {name}"),
        };
        *one = pauses[0];
    }
    timings
}

async fn work(item: Item) -> Result<(), Error> {
    let contents: Vec<_> = item.payload.event.contents().collect();
    let (message, visitor) = match contents.as_slice() {
        [content] => (content.message_content(), content.visitor_name()),
        others => ("", if others.is_empty() { "nobody" } else { "several" }),
    };
    note(format!("begin {} {} {visitor}", item.id, item.payload.event_type()))?;
    match message {
        "fail" => return Err("the ticket system is away".into()),
        "panic" => panic!("visitor Ada: my PIN is 47114711"),
        "never end" => future::pending().await,
        "block" => loop {
            std::thread::park();
        },
        "spawn and block" => {
            for _ in 0..16 {
                tokio::spawn(async {
                    loop {
                        std::thread::park();
                    }
                });
            }
            future::pending::<()>().await;
        }
        "wait for the file" => {
            while !go_on()?.exists() {
                sleep(Duration::from_millis(20)).await;
            }
        }
        "block until the file" => {
            while !go_on()?.exists() {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        "slow" => sleep(Duration::from_secs(1)).await,
        // A path: the work fails until the test makes the file.
        repaired if repaired.starts_with('/') && !PathBuf::from(repaired).exists() => {
            return Err("the ticket system is away".into());
        }
        _ => sleep(Duration::from_millis(5)).await,
    }
    note(format!("end {} {} {visitor}", item.id, item.payload.event_type()))?;
    Ok(())
}

/// The file that lets work that waits go on.
fn go_on() -> Result<PathBuf, Error> {
    Ok(PathBuf::from(env::var_os("WORK").ok_or("the tests set WORK")?).with_file_name("go on"))
}

fn note(line: String) -> Result<(), Error> {
    let file = env::var_os("WORK").ok_or("the tests set WORK")?;
    // A single write, so that the lines of two processes do not mix.
    Ok(OpenOptions::new().create(true).append(true).open(file)?.write_all((line + "\n").as_bytes())?)
}
