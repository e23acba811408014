//! A PostgreSQL server for a test. The server is stopped and removed when the test ends, also when the test fails.

use std::env;
use std::fs::{self, File};
use std::io::{Write, stderr};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::runtime::Runtime;

use crate::PATIENCE;

/// The user `nobody`, who runs the server if the test is run by root. A server refuses to run as root.
const NOBODY: u32 = 65534;

pub struct Server {
    /// The folder of this server only. It also holds the socket, so the server needs no port.
    folder: PathBuf,
    programs: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Starts a server with an empty database. If PostgreSQL is not installed, prints this and returns `None`. If the
    /// variable `REQUIRE_POSTGRES` is set, panics instead.
    pub fn start(name: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let says = "left out, because it needs a PostgreSQL server: apt-get install postgresql";
            assert!(env::var_os("REQUIRE_POSTGRES").is_none(), "{name} is {says}");
            // The test harness shows this line, because it does not capture what is written to `stderr` directly.
            stderr().write_all(format!("{name} is {says}\n").as_bytes()).unwrap();
            return None;
        };
        // The path of a socket has at most 107 bytes, so this folder is not in the target folder.
        let folder = env::temp_dir().join(format!("handlers-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        if is_owned_by_root(&folder) {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut server = Self { folder, programs, process: None };
        let initdb = ["-U", "handlers", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D", "data"];
        assert!(server.command("initdb", &initdb).status().unwrap().success(), "{}", server.log());
        let folder = server.folder.to_str().unwrap();
        let options = ["-D", "data", "-k", folder, "-p", "5432", "-c", "listen_addresses=", "-c", "fsync=off"];
        server.process = Some(server.command("postgres", &options).spawn().unwrap());
        server.wait_until_ready();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://handlers@localhost:5432/postgres?host={}", self.folder.display())
    }

    /// A program of PostgreSQL, which runs in the folder of this server and as the owner of the folder.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let log = || File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(&self.folder).stdout(log()).stderr(log());
        if fs::metadata(&self.folder).unwrap().uid() == NOBODY {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        let runtime = Runtime::new().unwrap();
        while let Err(error) = runtime.block_on(PgConnection::connect(&self.url())) {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "{error}\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // A server that is killed would leave shared memory behind.
            let _ = self.command("pg_ctl", &["stop", "-m", "immediate", "-D", "data"]).status();
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_owned_by_root(folder: &Path) -> bool {
    fs::metadata(folder).unwrap().uid() == 0
}

/// The folder with `initdb`, `pg_ctl` and `postgres`: in the search path, or where Debian, Fedora and Homebrew put it.
fn programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];
    let versions = versions.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut versions: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(folder.clone()));
    env::split_paths(&path)
        .chain(versions)
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).exists()))
}

/// Runs a statement on a connection of its own.
pub fn run<T>(url: &str, statement: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>) -> T {
    let runtime = Runtime::new().unwrap();
    let result = runtime.block_on(async { statement(&mut PgConnection::connect(url).await?).await });
    result.unwrap()
}
