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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::{Found, has_ended, look};

    #[test]
    fn only_a_process_of_this_boot_namespace_and_user_is_known_to_have_ended() {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap();
        let (boot, namespace) = (boot.trim(), namespace.display());
        let user = fs::metadata("/proc/self").unwrap().uid();
        // Linux gives no process an ID as large as this one.
        assert!(has_ended(&format!("{boot} {namespace} {user} 4194305 1")));
        assert!(!has_ended(&format!("another {namespace} {user} 4194305 1")));
        assert!(!has_ended(&format!("{boot} pid:[1] {user} 4194305 1")));
        assert!(!has_ended(&format!("{boot} {namespace} {} 4194305 1", user + 1)));
    }

    #[test]
    fn a_process_whose_status_cannot_be_read_may_still_run() {
        let folder = tempfile::tempdir().unwrap();
        // The name of the program is not UTF-8, so neither is the status of the process.
        let program = folder.path().join(OsStr::from_bytes(b"\xff"));
        symlink("/bin/sleep", &program).unwrap();
        let mut child = Command::new(program).arg0("sleep").arg("60").spawn().unwrap();
        let found = look(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(found, Found::Unknown));
    }
}
