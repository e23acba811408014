//! The metrics for Prometheus.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use twt_chat_webhooks::fixtures;

use crate::support::{
    Answer, Operators, StubChannel, command, count, eventually, execute, folder, lock, message, rows, with_timings,
};

/// The value of a series.
fn value<'a>(metrics: &'a str, series: &str) -> &'a str {
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in {metrics}"))
}

/// The age in seconds of the oldest row of a channel that waits or is in work.
fn age(metrics: &str, channel: &str) -> f64 {
    let series = format!(r#"twt_chat_oldest_waiting_age_seconds{{channel="{channel}"}}"#);
    value(metrics, &series).parse().unwrap()
}

#[test]
fn deliveries_attempts_rows_and_connections_are_counted() {
    let folder = folder();
    let slack = StubChannel::start("slack", &[Answer::Closed]);
    let mut command = command(&folder);
    command.env("SLACK_WEBHOOK_URL", &slack.url);
    with_timings(&mut command, "channel_pauses=600000");
    let operators = Operators::start(&folder, command);
    let receiver = &operators.receiver;
    // Each of these series begins with 0.
    let metrics = operators.metrics();
    for series in [
        r#"deliveries_total{status="503",event="none"}"#,
        r#"attempts_total{channel="slack",outcome="done"}"#,
        r#"rows{channel="slack",state="waiting"}"#,
        r#"oldest_waiting_age_seconds{channel="slack"}"#,
    ] {
        let value = value(&metrics, &format!("twt_chat_{series}"));
        assert!(["0", "0.0"].contains(&value), "{series}: {metrics}");
    }
    let unknown = fixtures::UNREPLIED.replace("UNREPLIED", "<b>Ada</b>");
    for body in [fixtures::UNREPLIED, fixtures::UNREPLIED, fixtures::OFFLINE_FORM_SUBMIT, unknown.as_str(), "not JSON"]
    {
        assert_eq!(receiver.deliver(body), 200);
    }
    assert_eq!(receiver.post(fixtures::UNREPLIED, None).0, 403);
    let week = if crate::POSTGRES { "interval '7 days'" } else { "7 * 86400" };
    execute(&folder, &format!("UPDATE record SET received_at = received_at - {week}"));
    let open = receiver.begin("POST /");
    let mut metrics = String::new();
    eventually("the first attempt at each message has failed, and the work is done", || {
        metrics = operators.metrics();
        value(&metrics, r#"twt_chat_attempts_total{channel="slack",outcome="failed"}"#) == "3"
            && value(&metrics, r#"twt_chat_attempts_total{channel="work",outcome="done"}"#) == "3"
            && value(&metrics, r#"twt_chat_open_connections{port="deliveries"}"#) != "0"
    });
    // The rows are counted before the attempts, so the metrics are read again now that nothing changes any more.
    metrics = operators.metrics();
    for (series, expected) in [
        (r#"deliveries_total{status="200",event="UNREPLIED"}"#, "2"),
        (r#"deliveries_total{status="200",event="OFFLINE_FORM_SUBMIT"}"#, "1"),
        (r#"deliveries_total{status="200",event="other"}"#, "1"),
        (r#"deliveries_total{status="200",event="none"}"#, "1"),
        (r#"deliveries_total{status="403",event="none"}"#, "1"),
        ("commit_duration_seconds_count", "5"),
        (r#"rows{channel="slack",state="waiting"}"#, "3"),
        (r#"rows{channel="slack",state="in_work"}"#, "0"),
        (r#"rows{channel="slack",state="dead"}"#, "0"),
        (r#"rows{channel="work",state="waiting"}"#, "0"),
        (r#"rows{channel="work",state="dead"}"#, "1"),
        (r#"oldest_waiting_age_seconds{channel="work"}"#, "0.0"),
        ("inbox_up", "1"),
    ] {
        assert_eq!(value(&metrics, &format!("twt_chat_{series}")), expected, "{series}: {metrics}");
    }
    let age = age(&metrics, "slack");
    assert!((604_800.0..605_400.0).contains(&age), "{age}");
    drop(open);
    let closed = r#"twt_chat_open_connections{port="deliveries"}"#;
    eventually("all connections are closed", || value(&operators.metrics(), closed) == "0");
    // The name of an unknown event may be anything.
    assert!(!metrics.contains("Ada"), "{metrics}");
    assert!(check("metrics", &[], &metrics), "{metrics}");
}

#[test]
fn the_age_is_that_of_the_oldest_row_that_is_not_done() {
    let folder = folder();
    let slack = StubChannel::start("slack", &[Answer::Closed]);
    let mut command = command(&folder);
    command.args(["--workers", "2"]).env("SLACK_WEBHOOK_URL", &slack.url);
    with_timings(&mut command, "channel_pauses=600000");
    let operators = Operators::start(&folder, command);
    let deliver = |visitor: &str, text: &str| {
        assert_eq!(operators.receiver.deliver(message(visitor, text, 1).to_vec()), 200);
    };
    deliver("Visitor1", "hello");
    eventually("it is done", || count(&folder, "state = 'done'") == 1);
    for visitor in ["Visitor2", "Visitor3", "Visitor4"] {
        deliver(visitor, "never end");
    }
    eventually("two are in work", || count(&folder, "channel = '' AND owner IS NOT NULL") == 2);
    eventually("slack has failed", || {
        count(&folder, "channel = 'slack' AND problem IS NOT NULL AND owner IS NULL") == 4
    });
    for (id, hours) in [(1, 4), (3, 3), (5, 2), (7, 1)] {
        let hours = if crate::POSTGRES { format!("interval '{hours} hours'") } else { format!("{hours} * 3600") };
        let record = format!("id = (SELECT record FROM item WHERE item.id = {id})");
        execute(&folder, &format!("UPDATE record SET received_at = received_at - {hours} WHERE {record}"));
    }
    let metrics = operators.metrics();
    // For Slack, all four messages wait. Of the work, the first item is done, and the second one is in work.
    for (channel, hours) in [("slack", 4), ("work", 3)] {
        let (age, least) = (age(&metrics, channel), f64::from(hours) * 3_600.0);
        assert!((least..least + 600.0).contains(&age), "{channel}: {age}");
    }
    assert_eq!(value(&metrics, r#"twt_chat_rows{channel="work",state="in_work"}"#), "2");
    assert_eq!(value(&metrics, r#"twt_chat_rows{channel="work",state="waiting"}"#), "1");
}

#[test]
fn the_counters_are_shown_while_the_inbox_does_not_answer() {
    let folder = folder();
    let operators = Operators::start(&folder, command(&folder));
    assert_eq!(operators.receiver.deliver(fixtures::UNREPLIED), 200);
    operators.receiver.all_done();
    execute(&folder, "ALTER TABLE item RENAME TO away");
    let metrics = operators.metrics();
    assert_eq!(value(&metrics, "twt_chat_inbox_up"), "0");
    assert_eq!(value(&metrics, r#"twt_chat_deliveries_total{status="200",event="UNREPLIED"}"#), "1");
    assert!(!metrics.contains("twt_chat_rows"), "{metrics}");
    assert_eq!(operators.get("/healthz").0, 503);
    assert_eq!(operators.get("/").0, 503);
    execute(&folder, "ALTER TABLE away RENAME TO item");
    eventually("the inbox is back", || value(&operators.metrics(), "twt_chat_inbox_up") == "1");
    eventually("the inbox is healthy", || {
        operators.get("/healthz").0 == 200 && operators.receiver.get("/healthz").0 == 200
    });
}

/// Runs on PostgreSQL only. On SQLite, nothing can make a reader wait for long.
#[test]
fn a_scrape_waits_for_the_inbox_only_for_a_while() {
    if !crate::POSTGRES {
        return;
    }
    let folder = folder();
    let mut command = command(&folder);
    with_timings(&mut command, "write=300 statement=3600000");
    let operators = Operators::start(&folder, command);
    let locked = lock(&folder);
    let metrics = operators.metrics();
    assert_eq!(value(&metrics, "twt_chat_inbox_up"), "0");
    assert_eq!(value(&metrics, r#"twt_chat_deliveries_total{status="200",event="none"}"#), "0");
    assert_eq!(operators.get("/").0, 503);
    drop(locked);
}

/// How often the index of the dead rows was used.
const SCANS: &str = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'item_dead'";
/// How many rows, and entries of indexes, were read.
const READ: &str = "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
    + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE pg_stat_user_indexes.relname = 'item')
    FROM pg_stat_user_tables WHERE relname = 'item'";

/// Runs on PostgreSQL only. A test in `store/sqlite/look.rs` shows the same for SQLite.
#[test]
fn a_scrape_does_not_read_the_rows_that_are_done() {
    if !crate::POSTGRES {
        return;
    }
    let folder = folder();
    let operators = Operators::start(&folder, command(&folder));
    assert_eq!(operators.receiver.deliver(fixtures::UNREPLIED), 200);
    operators.receiver.all_done();
    let done = "INSERT INTO item (record, state) SELECT record, 'done' FROM item, generate_series(1, 20000)";
    execute(&folder, done);
    let scans = || rows(&folder, SCANS)[0][0].parse::<u32>().unwrap();
    let before = scans();
    for _ in 0..5 {
        assert_eq!(value(&operators.metrics(), "twt_chat_inbox_up"), "1");
    }
    eventually("the server has counted the scrapes", || scans() >= before + 5);
    let read: u32 = rows(&folder, READ)[0][0].parse().unwrap();
    assert!(read < 20_000, "{read} rows and entries of indexes are read");
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(|character| !is_name(character)).filter(|word| word.starts_with("twt_chat_")).collect()
}

#[test]
fn the_alerts_are_valid_and_name_metrics_that_exist() {
    let folder = folder();
    let operators = Operators::start(&folder, command(&folder));
    let metrics = operators.metrics();
    let shown = names(&metrics);
    for file in ["alerts.yml", "alerts_test.yml"] {
        let text = fs::read_to_string(file).unwrap();
        let missing: Vec<_> = names(&text).into_iter().filter(|name| !shown.contains(name)).collect();
        assert!(!names(&text).is_empty() && missing.is_empty(), "{missing:?}");
    }
    assert!(check("rules", &["alerts.yml"], ""));
    let test = Command::new("promtool").args(["test", "rules", "alerts_test.yml"]).output();
    assert!(test.is_err() || test.unwrap().status.success());
}

/// Whether `promtool check` accepts a text. Without `promtool`, nothing is checked. With `REQUIRE_PROMTOOL`, the test
/// then fails.
fn check(what: &str, arguments: &[&str], text: &str) -> bool {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", what]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
    let Ok(mut promtool) = promtool.spawn() else {
        assert!(std::env::var_os("REQUIRE_PROMTOOL").is_none(), "promtool is not installed");
        return true;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    promtool.wait().unwrap().success()
}
