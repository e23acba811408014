//! Tells whether the process of a receiver still runs. So the rows of a receiver that was killed are taken at once.
//!
//! This works only on Linux, for processes of the same user in the same container. Otherwise, the other receivers wait
//! until the receiver has been silent for `Timings::silence`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

/// Names this process: the boot, the process namespace, the user, the process ID, and when it started.
pub(super) fn this() -> Option<String> {
    let id = std::process::id();
    match look(id) {
        Found::Started(start) => Some(format!("{} {id} {start}", place()?)),
        Found::Ended | Found::Unknown => None,
    }
}

/// Whether the process has certainly ended. The process ID alone is not enough, because the system uses IDs again.
pub(super) fn has_ended(process: &str) -> bool {
    let ended = || {
        let (rest, start) = process.rsplit_once(' ')?;
        let (there, id) = rest.rsplit_once(' ')?;
        if there != place()? {
            return None;
        }
        match look(id.parse().ok()?) {
            Found::Started(now) => Some(now != start),
            Found::Ended => Some(true),
            Found::Unknown => None,
        }
    };
    ended().unwrap_or(false)
}

/// Names the place in which a process ID has one meaning: the boot, the process namespace and the user. The user is
/// part of the place, because a user may not see the processes of other users.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let user = fs::metadata("/proc/self").ok()?.uid();
    Some(format!("{} {} {user}", boot.trim(), namespace.display()))
}

enum Found {
    /// When the process started, in the unit of the system.
    Started(String),
    /// There is no such process, or only its exit status is left.
    Ended,
    Unknown,
}

fn look(id: u32) -> Found {
    let status = match fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(status) => status,
        Err(error) if error.kind() == ErrorKind::NotFound => return Found::Ended,
        Err(_) => return Found::Unknown,
    };
    // The name of the program stands in parentheses and may hold anything.
    let Some((_, fields)) = status.rsplit_once(") ") else { return Found::Unknown };
    let mut fields = fields.split(' ');
    match (fields.next(), fields.nth(18)) {
        (Some("Z"), _) => Found::Ended,
        (Some(_), Some(start)) => Found::Started(start.to_owned()),
        _ => Found::Unknown,
    }
}
