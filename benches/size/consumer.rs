//! A package outside the workspace that depends on the crate, as a user's package does.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The manifest of the package. The versions of the dependencies come from the repository's Cargo.lock.
const MANIFEST: &str = r#"
[package]
name = "consumer"
version = "0.0.0"
edition = "2024"
publish = false

# The package lies below the repository's workspace and is not a member of it.
[workspace]

[dependencies]
serde = { version = "1.0.220", features = ["derive"] }
serde_json = "1.0.145"
twt-chat-webhooks = { path = "REPOSITORY" }

[[bin]]
name = "baseline"
path = "REPOSITORY/benches/size/programs/baseline.rs"

[[bin]]
name = "ours"
path = "REPOSITORY/benches/size/programs/ours.rs"

[[bin]]
name = "derive"
path = "REPOSITORY/benches/size/programs/derive.rs"

[[bin]]
name = "ours_encode"
path = "REPOSITORY/benches/size/programs/ours_encode.rs"

[[bin]]
name = "derive_encode"
path = "REPOSITORY/benches/size/programs/derive_encode.rs"

[profile.release]
strip = true

[profile.small]
inherits = "release"
opt-level = "z"
lto = true
codegen-units = 1
panic = "abort"
"#;

pub struct Consumer {
    folder: PathBuf,
}

impl Consumer {
    /// Writes the package into the target folder.
    pub fn create() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("size");
        fs::create_dir_all(&folder).expect("the folder of the package should be writable");
        let repository =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package should be inside the repository");
        let manifest = MANIFEST.replace("REPOSITORY", &repository.to_string_lossy());
        fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest should be writable");
        fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock"))
            .expect("the repository should have a Cargo.lock");
        Self { folder }
    }

    /// Builds a program in a profile, and returns the size of its file.
    pub fn size(&self, program: &str, profile: &str) -> u32 {
        self.cargo(&["build", "--bin", program, "--profile", profile]);
        let size = fs::metadata(self.program(program, profile)).expect("the program should exist").len();
        size.try_into().expect("the program should be smaller than 4 GiB")
    }

    /// Runs a program on a body, and returns what it prints.
    pub fn output(&self, program: &str, profile: &str, body: &str) -> String {
        let mut child = Command::new(self.program(program, profile))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program should start");
        let mut input = child.stdin.take().expect("the program should have standard input");
        input.write_all(body.as_bytes()).expect("the program should read the body");
        drop(input);
        let output = child.wait_with_output().expect("the program should end");
        String::from_utf8(output.stdout).expect("the program should print text")
    }

    fn program(&self, program: &str, profile: &str) -> PathBuf {
        self.folder.join("target").join(profile).join(program)
    }

    /// Compiles the crate alone, after its dependencies, and returns the CPU time in seconds.
    pub fn compile_crate(&self, profile: &str) -> f64 {
        const CRATE: &str = "twt-chat-webhooks";
        self.cargo(&["build", "--package", CRATE, "--profile", profile]);
        self.cargo(&["clean", "--package", CRATE, "--profile", profile]);
        let before = cpu_seconds_of_children();
        self.cargo(&["build", "--package", CRATE, "--profile", profile]);
        cpu_seconds_of_children() - before
    }

    /// Runs cargo in the package. Cargo has already downloaded every dependency for the benchmarks.
    fn cargo(&self, args: &[&str]) {
        let status = Command::new(env!("CARGO"))
            .args(args)
            .args(["--quiet", "--offline", "--target-dir", "target"])
            .current_dir(&self.folder)
            // Cargo compiles a crate from a registry without incremental compilation.
            .env("CARGO_INCREMENTAL", "0")
            .status()
            .expect("cargo should run");
        assert!(status.success(), "cargo {}", args.join(" "));
    }
}

/// The CPU time of all child processes that have ended, and of their children.
fn cpu_seconds_of_children() -> f64 {
    /// The unit of the times in `/proc/self/stat`.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").expect("this benchmark needs Linux with /proc");
    // The name of the program may contain spaces. The first field behind the name is number 3. Fields 16 and 17 hold
    // the times.
    let (_, fields) = stat.rsplit_once(") ").expect("the line should contain the name of the program");
    let fields: Vec<_> = fields.split(' ').collect();
    let ticks = |number: usize| fields[number - 3].parse::<f64>().expect("the field should be a number");
    (ticks(16) + ticks(17)) / TICKS_PER_SECOND
}
