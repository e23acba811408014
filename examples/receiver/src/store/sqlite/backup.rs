//! Copies the database to a new file, also while receivers use the database.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::MAX_UPGRADE;
use crate::Error;

/// A copy of everything that is committed. The transaction reads one state, and others can write meanwhile.
const COPY: &str = "VACUUM INTO ?1";

/// Writes to a temporary file. This file is renamed to `file` once it is complete and on the disk. An existing file is
/// not overwritten.
pub(super) fn backup(inbox: &Path, file: &Path) -> Result<(), Error> {
    if file.exists() {
        return Err("the file exists".into());
    }
    let file = std::path::absolute(file)?;
    let folder = file.parent().ok_or("the path has no folder")?;
    // The file is created for its owner alone. If this process is killed, the file stays behind under this name. After
    // an error, it is deleted.
    let partial = tempfile::Builder::new().prefix(".receiver-backup-").tempfile_in(folder)?;
    let name = partial.path().to_str().ok_or("the path is not UTF-8")?;
    let connection = Connection::open_with_flags(inbox, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(MAX_UPGRADE)?;
    connection.execute(COPY, [name])?;
    partial.as_file().sync_all()?;
    partial.persist_noclobber(&file)?;
    Ok(File::open(folder)?.sync_all()?)
}
