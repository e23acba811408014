//! A PostgreSQL server for tests: it has its own folder and a free port, and ends with the process that started it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The user `nobody` of Linux. The server refuses to run as root.
const NOBODY: u32 = 65_534;

pub struct Server {
    bin: PathBuf,
    folder: PathBuf,
    pub port: u16,
    options: String,
    /// Stops the server and deletes the folder when its standard input is closed, which also happens when this process
    /// is killed.
    guard: Child,
}

impl Server {
    /// Starts a server with these options, such as `-c fsync=off`. `None` if PostgreSQL is not installed.
    pub fn start(options: &str) -> Option<Self> {
        static SERVERS: AtomicUsize = AtomicUsize::new(0);
        let bin = programs()?;
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = parent().join(format!("receiver-postgres-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let stop = r#"cat >/dev/null; "$1/pg_ctl" -D "$2/data" -m immediate -s stop; rm -rf "$2""#;
        let guard = as_user(Command::new("sh"))
            .args(["-c", stop, "sh"])
            .arg(&bin)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .unwrap();
        let mut server = Self { bin, folder, port: 0, options: options.to_owned(), guard };
        let initdb = ["-U", "receiver", "-A", "trust", "-N", "--locale=C", "-E", "UTF8", "-D", "data"];
        server.run("initdb", &initdb);
        server.go_on();
        Some(server)
    }

    /// Starts the server. Another process may take a free port before the server does, so the first start tries
    /// several ports. Later, the port stays the same.
    pub fn go_on(&mut self) {
        let first = self.port == 0;
        for _ in 0..100 {
            if first {
                self.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            }
            let options = format!(
                "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=300 {}",
                self.port,
                self.folder.display(),
                self.options
            );
            let mut start = self.command("pg_ctl");
            let start = start.args(["-D", "data", "-w", "-t", "120", "-l", "log", "-o", &options, "start"]);
            if start.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("PostgreSQL does not start: {}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    pub fn stop(&self) {
        self.run("pg_ctl", &["-D", "data", "-m", "fast", "-w", "-t", "120", "stop"]);
    }

    /// Ends all processes of the server as `kill -9` does, so that what is only in its memory is lost.
    pub fn kill(&self) {
        let postmaster = self.process();
        signal("STOP", &[postmaster]);
        let stat = |process: &str| fs::read_to_string(format!("/proc/{process}/stat")).ok();
        let is_child = |process: &str| {
            let stat = stat(process)?;
            Some(stat.rsplit_once(") ")?.1.split(' ').nth(1)? == postmaster.to_string())
        };
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let children = processes.filter(|process| is_child(process) == Some(true)).map(|id| id.parse().unwrap());
        let mut all: Vec<u32> = children.collect();
        all.push(postmaster);
        signal("KILL", &all);
        while all.iter().any(|process| stat(&process.to_string()).is_some_and(|stat| !stat.contains(") Z "))) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Copies a database into an empty database, with the commands of the README.
    pub fn copy(&self, from: &str, to: &str) {
        let port = self.port.to_string();
        let address = ["-h", "127.0.0.1", "-p", &port, "-U", "receiver"];
        let file = format!("{from}.dump");
        self.run("pg_dump", &[&address[..], &["-Fc", "-f", &file, from]].concat());
        self.run("pg_restore", &[&address[..], &["-d", to, &file]].concat());
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://receiver@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts the server again with TLS.
    pub fn use_tls(&mut self, certificate: &Path, key: &Path) {
        for (file, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let copy = self.folder.join("data").join(name);
            fs::copy(file, &copy).unwrap();
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&copy, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        self.stop();
        self.options.push_str(" -c ssl=on");
        self.go_on();
    }

    fn process(&self) -> u32 {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = as_user(Command::new(self.bin.join(program)));
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Stops a server with the test that started it. The shared server is in a static, which is never dropped; its guard
/// stops it.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Where the folders of the servers are. The databases of the tests have 12,000 files, which take less time to create
/// in memory than on a disk.
fn parent() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let free = Command::new("df").args(["--output=avail", "--block-size=1"]).arg(memory).output();
    let free = free.ok().and_then(|free| str::from_utf8(&free.stdout).ok()?.lines().nth(1)?.trim().parse::<u64>().ok());
    if free.is_some_and(|free| free > 4 << 30) { memory.to_owned() } else { std::env::temp_dir() }
}

fn signal(name: &str, processes: &[u32]) {
    let processes = processes.iter().map(ToString::to_string);
    let _ = Command::new("kill").args(["-s", name]).args(processes).stderr(Stdio::null()).status();
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn as_user(mut command: Command) -> Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The folder with the programs of the newest PostgreSQL that is installed.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::split_paths(&path).map(|folder| (0, folder)).collect::<Vec<_>>();
    let mut found: Vec<_> = debian.chain(path).filter(|(_, bin)| bin.join("initdb").exists()).collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

/// Says in one line that the tests are left out, and ends this process. So all tests of the process are left out,
/// because each of them needs PostgreSQL.
pub fn leave_out() -> ! {
    let why = "left out: no PostgreSQL is installed; on Debian, `apt-get install postgresql` installs it";
    assert!(std::env::var_os("REQUIRE_POSTGRES").is_none(), "{why}");
    // `println!` would only be shown with `--nocapture`.
    let _ = writeln!(std::io::stderr(), "{why}");
    std::process::exit(0)
}
