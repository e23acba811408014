//! The files of the database: only their owner can read them, and nobody may replace them while they are open.
//!
//! A file that is deleted, replaced or truncated while it is open can still be written. What is written there is lost
//! when the receiver ends. So no delivery is answered 200 while the files are not those that were opened.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::statements::empty_log;
use crate::Error;

/// Only the owner can read and write the file. SQLite gives its other files the mode of the database.
const MODE: u32 = 0o600;
const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";

/// The log of the database. SQLite writes to this file first.
fn log(path: &Path) -> PathBuf {
    with_suffix(path, "-wal")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// With `create`, makes the file if there is none. Fails if the file is empty or gone while the log of the database
/// holds something.
pub(super) fn prepare(path: &Path, create: bool) -> Result<(), Error> {
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let log = log(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
    // SQLite would delete the log, which may hold the only copy of some deliveries.
    if length(path) == 0 && length(&log) > 0 {
        return Err(format!("it is empty or gone, but {} is not: put the file or a backup back", log.display()).into());
    }
    if !create {
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).mode(MODE).open(path) {
        // The umask may take permissions from the mode at the creation.
        Ok(file) => Ok(file.set_permissions(Permissions::from_mode(MODE))?),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The files of an open database, as they were when the database was opened.
pub(super) struct Files {
    database: Opened,
    log: Opened,
    index: Opened,
    /// The last size of the database that was seen.
    size: u64,
    is_truncated: bool,
}

struct Opened {
    path: PathBuf,
    id: (u64, u64),
}

impl Opened {
    fn find(path: PathBuf) -> Result<Self, Error> {
        let file = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path, id: id(&file) })
    }

    /// `None` if the file was deleted or replaced.
    fn look(&self) -> Option<Metadata> {
        fs::metadata(&self.path).ok().filter(|file| id(file) == self.id)
    }

    fn gone(&self) -> String {
        format!("{} was deleted or replaced while it was open", self.path.display())
    }
}

/// The device and the inode of a file.
fn id(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Files {
    /// Finds the files of an open database. The other two files exist once the database has been read, and as long as
    /// the database is open.
    pub(super) fn find(path: &Path) -> Result<Self, Error> {
        // If the path is a symbolic link, the other two files are beside its target.
        let target = fs::canonicalize(path)?;
        let (log, index) = (log(&target), with_suffix(&target, "-shm"));
        Ok(Self {
            database: Opened::find(path.to_owned())?,
            log: Opened::find(log)?,
            index: Opened::find(index)?,
            size: fs::metadata(path)?.len(),
            is_truncated: false,
        })
    }

    /// Says what is wrong if what is written to the open files would be lost.
    ///
    /// A truncation is noticed only if one check sees the file before the truncation, and the next check sees that the
    /// file is shorter. The error then stays: the database may make the file longer again, but the content that was
    /// cut off is lost.
    pub(super) fn check(&mut self, connection: &Connection) -> Result<(), String> {
        let database = self.database.look().ok_or_else(|| self.database.gone())?;
        if database.len() < self.size {
            // After a `VACUUM`, the file is smaller and still has all pages.
            let needed = connection.query_row(SIZE, [], |row| row.get(0)).unwrap_or(i64::MAX);
            self.is_truncated |= database.len() < needed.cast_unsigned();
        }
        self.size = database.len();
        for file in [&self.log, &self.index] {
            file.look().ok_or_else(|| file.gone())?;
        }
        if self.is_truncated {
            return Err(format!("{} was truncated while it was open", self.database.path.display()));
        }
        Ok(())
    }

    /// Closes the database. Before that, writes the log of the database into its file, which is then whole without the
    /// log. If several processes use the database, the last process to close it deletes the log.
    pub(super) fn close(mut self, connection: Connection) {
        let intact = self.check(&connection);
        // This process can still read a log that was deleted.
        let closed = if self.database.look().is_some() && self.index.look().is_some() && !self.is_truncated {
            empty_log(&connection).map(drop)
        } else {
            Ok(())
        };
        // Closing would delete the files with the names of the log and its index, which now belong to another database.
        let keep = |_| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop);
        let closed = closed.and(intact.or_else(keep));
        if let Err(error) = closed.and_then(|()| connection.close().map_err(|(_, error)| error)) {
            tracing::error!("the inbox is not closed: {error}");
        }
    }
}
