//! Code generators of other languages make of the committed schemas what the schemas promise.
//!
//! `tests/code_generators/install` installs them. The tests are left out if it has not run. If the variable
//! `REQUIRE_CODE_GENERATORS` is set, they fail instead.

use std::ffi::OsStr;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::{env, fs};

use serde_json::json;
use twt_chat_webhooks::{EventType, fixtures};

/// The folder of the package of the tests.
const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// What `tests/code_generators/install` has installed.
const PINNED: [&str; 2] =
    [include_str!("../code_generators/package-lock.json"), include_str!("../code_generators/requirements.txt")];

/// The folder of the installed generators, or `None` if the test is left out.
fn installed() -> Option<PathBuf> {
    static SAID: Once = Once::new();

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("code-generators");
    if fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == PINNED.concat()) {
        return Some(folder);
    }
    let says =
        "The tests in code_generators.rs are left out: run tests/code_generators/install, which needs npm and Python";
    assert!(env::var_os("REQUIRE_CODE_GENERATORS").is_none(), "{says}");
    // The test harness shows this line, because it does not capture what is written to `stderr` directly.
    SAID.call_once(|| stderr().write_all(format!("{says}\n").as_bytes()).unwrap());
    None
}

/// An empty folder for generated code.
fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn schema(name: &str) -> PathBuf {
    Path::new(TESTS).join("../schema").join(name)
}

fn script(name: &str) -> PathBuf {
    Path::new(TESTS).join("code_generators").join(name)
}

/// The files of the documented bodies, in an empty folder of the given name.
fn bodies(name: &str) -> Vec<PathBuf> {
    let folder = empty_folder(name);
    let file = |event_type: &EventType| {
        let path = folder.join(event_type.as_str()).with_extension("json");
        fs::write(&path, fixtures::body(event_type).unwrap()).unwrap();
        path
    };
    EventType::DOCUMENTED.iter().map(file).collect()
}

/// The number of fields of all documented bodies, each of which has one item.
fn number_of_fields() -> usize {
    let fields = |event_type: &EventType| {
        let body = json!(fixtures::payload(event_type).unwrap());
        body.as_object().unwrap().len() + body["content"][0].as_object().unwrap().len()
    };
    EventType::DOCUMENTED.iter().map(fields).sum()
}

/// Runs a command, and returns what it has printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [printed, problems] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{command:?}: {}\n{printed}{problems}", output.status);
    printed
}

fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    // Python would write compiled code next to the script.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[test]
fn typescript_narrows_the_type_of_a_body_by_its_event() {
    let Some(installed) = installed() else { return };
    let tool = |name: &str| command(installed.join("node_modules/.bin").join(name));
    let from_json_schema = run(tool("json2ts").arg(schema("documented-payload.schema.json")));
    let from_openapi = run(tool("openapi-typescript").arg(schema("openapi.json")));
    let from_openapi = from_openapi + "export type DocumentedPayload = components['schemas']['DocumentedPayload'];\n";

    let folder = empty_folder("typescript");
    let mut tsc = tool("tsc");
    tsc.args(["--strict", "--noEmit", "--target", "es2022"]).current_dir(&folder);
    for (name, generated) in [("json_schema", from_json_schema), ("openapi", from_openapi)] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("body.ts"), generated).unwrap();
        fs::copy(script("narrow.ts"), folder.join(name).join("narrow.ts")).unwrap();
        tsc.arg(format!("{name}/narrow.ts"));
    }
    run(&mut tsc);
}

#[test]
fn ajv_in_strict_mode_accepts_the_documented_bodies_and_refuses_malformed_ones() {
    let Some(installed) = installed() else { return };
    let mut node = command("node");
    node.env("NODE_PATH", installed.join("node_modules"));
    let bodies = bodies("bodies_for_ajv");
    let printed = run(node.arg(script("ajv.cjs")).arg(schema("documented-payload.schema.json")).args(&bodies));
    assert_eq!(printed, format!("accepted {} documented, refused {} malformed\n", bodies.len(), number_of_fields()));
}

#[test]
fn a_python_model_refuses_a_documented_body_with_any_field_replaced_by_an_object() {
    let Some(installed) = installed() else { return };
    let python = || command(installed.join("python/bin/python"));
    let folder = empty_folder("python");
    let bodies = bodies("bodies_for_python");
    let accepted = EventType::DOCUMENTED.iter().map(EventType::as_str).collect::<Vec<_>>().join(" ");

    for (module, kind, name) in [
        ("from_json_schema", "jsonschema", "documented-payload.schema.json"),
        ("from_openapi", "openapi", "openapi.json"),
    ] {
        let generated = folder.join(module).with_extension("py");
        let mut generator = python();
        generator.args(["-m", "datamodel_code_generator", "--output-model-type", "pydantic_v2.BaseModel"]);
        generator.args(["--formatters", "builtin", "--input-file-type", kind]);
        run(generator.arg("--input").arg(schema(name)).arg("--output").arg(generated));

        let printed = run(python().env("PYTHONPATH", &folder).arg(script("models.py")).arg(module).args(&bodies));
        let lines: Vec<_> = printed.lines().collect();
        let refused = format!("refused {}", number_of_fields());
        assert_eq!(lines, [&format!("accepted {accepted}"), &refused, "status equals 1: True"], "{module}");
    }
}
