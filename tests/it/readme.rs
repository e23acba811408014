//! The README is also the page of the crate in the registry, where a relative link leads nowhere.

use std::path::Path;

const README: &str = include_str!("../../README.md");

/// The parts of the README between an opening and a closing text.
fn between(open: &str, close: &str) -> Vec<&'static str> {
    README.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0)).collect()
}

#[test]
fn no_link_of_the_readme_is_relative() {
    let links = between("](", ")");
    assert!(links.contains(&"https://docs.rs/twt-chat-webhooks"), "{links:?}");
    for link in links {
        assert!(link.starts_with("https://"), "{link}");
    }
    // There are no other forms of links.
    assert!(!README.lines().any(|line| line.starts_with('[') && line.contains("]: ")));
    assert!(!README.contains("<a ") && !README.contains("<img "));
}

#[test]
fn each_file_that_the_readme_names_is_in_the_repository() {
    let outside_of_code: Vec<_> = README.split("```").step_by(2).collect();
    let text = outside_of_code.concat();
    let files: Vec<_> =
        text.split('`').skip(1).step_by(2).filter(|code| code.contains('/') || code.contains(".md")).collect();
    assert!(files.contains(&"examples/receiver/README.md") && files.contains(&"CONTRIBUTING.md"), "{files:?}");
    for file in files {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file).is_file(), "{file}");
    }
}

#[test]
fn the_command_for_the_docs_builds_only_the_crate() {
    let [command] = between("cargo doc ", "\n").try_into().unwrap();
    assert!(command.contains("--no-deps") && !command.contains("--workspace"), "{command}");
    // Without `--workspace`, the command builds the docs of the default members.
    assert!(include_str!("../../Cargo.toml").contains("\ndefault-members = [\".\"]\n"));
}
