//! The receiver around a team's own work, which is in `work.rs`. The machinery starts in `lib.rs`.

mod work;

fn main() -> std::process::ExitCode {
    receiver::run(|item| Box::pin(work::work(item)))
}
