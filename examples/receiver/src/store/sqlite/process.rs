//! Whether the process of a receiver still runs, so that the rows of a receiver that was killed wait for nobody.
//!
//! Only Linux can tell. Elsewhere, and for a process in another container, the others wait until the receiver has been
//! silent for `Timings::silence`.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Names this process: the boot, the process namespace, the user, the process ID, and when it started.
pub(super) fn this() -> Option<String> {
    let id = std::process::id();
    Some(format!("{} {id} {}", place()?, started(id)??))
}

/// Whether the process has certainly ended. The ID alone does not tell, because the system uses it again.
pub(super) fn has_ended(process: &str) -> bool {
    let ended = || {
        let (rest, start) = process.rsplit_once(' ')?;
        let (there, id) = rest.rsplit_once(' ')?;
        if there != place()? {
            return None;
        }
        let now = started(id.parse().ok()?)?;
        Some(now.is_none_or(|now| now != start))
    };
    ended().unwrap_or(false)
}

/// Within one place, a process ID has one meaning. A user always sees the own processes, but not always those of others.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let user = fs::metadata("/proc/self").ok()?.uid();
    Some(format!("{} {} {user}", boot.trim(), namespace.display()))
}

/// When the process started, in the unit of the system. `Some(None)` means that there is no such process, or that only
/// its exit status is left.
fn started(id: u32) -> Option<Option<String>> {
    let status = match fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(status) => status,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(None),
        Err(_) => return None,
    };
    // The name of the program stands in parentheses and may hold anything.
    let mut fields = status.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    let start = fields.nth(18)?;
    Some((state != "Z").then(|| start.to_owned()))
}
