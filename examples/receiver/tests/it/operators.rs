//! The page for operators.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use twt_chat_webhooks::fixtures;

use crate::POSTGRES;
use crate::support::{
    Answer, Operators, Receiver, StubChannel, command, count, count_in, eventually, execute, folder, lock, message,
    rows, statements_that_wait, telling_body, with_timings,
};

/// Texts of a visitor that [`telling_body`] contains.
const TELLING: [&str; 2] = ["47114711", "Visitor-Ada"];

pub fn start() -> Operators {
    let folder = folder();
    Operators::start(&folder, command(&folder))
}

/// The number of sockets of a process that listen.
#[cfg(target_os = "linux")]
fn listening(receiver: &Receiver) -> usize {
    let process = format!("/proc/{}", receiver.process());
    let table = fs::read_to_string(format!("{process}/net/tcp")).unwrap();
    let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let inodes: BTreeSet<_> = fields.filter(|fields| fields[3] == "0A").map(|fields| fields[9].to_owned()).collect();
    let files =
        fs::read_dir(format!("{process}/fd")).unwrap().filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    let is_listening = |file: &std::path::PathBuf| {
        let name = file.to_string_lossy();
        name.strip_prefix("socket:[").is_some_and(|rest| inodes.contains(rest.trim_end_matches(']')))
    };
    files.filter(is_listening).count()
}

#[test]
#[cfg(target_os = "linux")]
fn without_an_address_there_is_no_port_for_operators() {
    let folder = folder();
    let mut empty = command(&folder);
    empty.env("ADMIN_ADDR", "");
    let receiver = Receiver::spawn(&folder, empty);
    assert_eq!(listening(&receiver), 1);
    for path in ["/", "/metrics", "/rows/1"] {
        assert_eq!(receiver.get(path).0, 404);
    }
    assert_eq!(listening(&Operators::start(&folder, command(&folder)).receiver), 2);
}

#[test]
fn an_address_for_operators_that_is_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(&folder()).env("ADMIN_ADDR", &address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains(&format!("receiver: cannot listen on {address}: ")), "{log}");
}

#[test]
fn an_address_that_others_can_reach_is_a_warning() {
    for (address, warns) in [("0.0.0.0:0", true), ("localhost:0", false), ("127.0.0.1:0", false)] {
        let folder = folder();
        let mut command = command(&folder);
        command.env("ADMIN_ADDR", address);
        let mut receiver = Receiver::spawn(&folder, command);
        eventually("the page has an address", || receiver.log().contains("the page for operators is at"));
        let warning = "WARN other machines may reach";
        if warns {
            receiver.logs(warning);
        }
        receiver.stop();
        assert_eq!(receiver.log().contains(warning), warns, "{}", receiver.log());
    }
}

#[test]
fn the_page_says_what_waits_and_what_is_dead_and_why() {
    let folder = folder();
    let slack = StubChannel::start("slack", &[Answer::Text("429 Too Many\r\nRetry-After: 7200", "")]);
    let mut command = command(&folder);
    command.env("SLACK_WEBHOOK_URL", &slack.url);
    with_timings(&mut command, "work_pauses=1");
    let operators = Operators::start(&folder, command);
    assert_eq!(operators.receiver.deliver(message("Visitor-Ada", "fail", 1).to_vec()), 200);
    assert_eq!(operators.receiver.deliver("not JSON"), 200);
    let slack = "channel = 'slack' AND attempts = 1 AND owner IS NULL";
    eventually("the rows are dead or wait", || count(&folder, "state = 'dead'") == 2 && count(&folder, slack) == 1);
    let hours = if POSTGRES { "interval '3 hours'" } else { "3 * 3600" };
    execute(&folder, &format!("UPDATE record SET received_at = received_at - {hours}"));
    let (status, page) = operators.get("/");
    assert_eq!(status, 200);
    let wait = operators.receiver.list().iter().find(|row| row["channel"] == "slack").unwrap().clone();
    let until = wait["waits_until"].as_str().unwrap();
    for part in [
        "<h2>work: 2 dead</h2>",
        "<h2>slack: 1 waiting</h2>",
        "<td>3 h</td>",
        "the ticket system is away",
        "the body is not JSON that can be read",
        "not an event",
        "status 429, asks for a pause of 7200s",
        "the channel asked for a pause",
        until,
        "UNREPLIED",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Visitor-Ada") && !page.contains("fail</"), "{page}");
    // A channel without rows has no list.
    assert!(!page.contains("slack: 0"), "{page}");
    // The work and Slack are set.
    assert!(!page.contains("not set") && !page.contains("is set again"), "{page}");
    // An empty list says nothing about the other lists.
    let (_, empty) = operators.get("/?lane=slack&rows=dead");
    assert!(empty.contains("This list is empty.") && !empty.contains("Nothing waits"), "{empty}");
}

#[test]
fn what_a_visitor_wrote_is_shown_only_after_a_click() {
    let operators = start();
    let body = telling_body().replace("47114711", "47114711 <script>alert(1)</script>\u{202e}\u{7f}\u{2028}");
    assert_eq!(operators.receiver.deliver(&body), 200);
    assert_eq!(operators.receiver.deliver(r#"{"my PIN is 47114711": "Visitor-Ada"}"#), 200);
    operators.receiver.row(1, "done");
    execute(&operators.receiver.folder, "UPDATE item SET state = 'dead' WHERE id = 1");
    for path in ["/", "/?lane=work&rows=dead", "/?lane=work&rows=waiting", "/?lane=47114711", "/metrics", "/nowhere"] {
        let (_, page) = operators.get(path);
        assert!(!TELLING.iter().any(|mark| page.contains(mark)), "{path}: {page}");
    }
    let (_, page) = operators.get("/");
    assert!(page.contains(r#"href="/rows/1""#), "{page}");
    let (status, shown) = operators.get("/rows/1");
    assert_eq!(status, 200);
    assert!(TELLING.iter().all(|mark| shown.contains(mark)), "{shown}");
    assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script"), "{shown}");
    // A line feed stays one.
    assert!(shown.contains(r"\u{202e}\u{7f}\u{2028}") && !shown.contains(r"\u{a}"), "{shown}");
    assert!(!operators.receiver.log().contains("47114711"));
    assert_eq!(operators.get("/rows/7").0, 404);
}

#[test]
fn a_hostile_text_in_any_column_stays_text() {
    let operators = start();
    assert_eq!(operators.receiver.deliver(fixtures::UNREPLIED), 200);
    operators.receiver.row(1, "done");
    let hostile = r#"</b><script>alert(1)</script><img src=x onerror=alert(1)>" onclick="x"#;
    for state in ["dead", "waiting"] {
        execute(&operators.receiver.folder, &format!("UPDATE record SET event = '{hostile}'"));
        let values = format!("problem = '{hostile}', channel = '{hostile}', state = '{state}'");
        execute(&operators.receiver.folder, &format!("UPDATE item SET {values}"));
        let (status, page) = operators.get("/");
        assert_eq!(status, 200);
        let link = page.split("href=\"").filter_map(|rest| rest.split('"').next()).find(|link| link.contains("lane="));
        let list = operators.get(&link.unwrap().replace("&amp;", "&")).1;
        for page in [page, list, operators.get("/rows/1").1] {
            assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
            let tags = page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
            assert!(tags.clone().count() > 20);
            for tag in tags {
                assert!(!tag.starts_with("script") && !tag.starts_with("img"), "{page}");
                // Outside of quotes, no tag has an attribute from the text of a column.
                let outside: String = tag.split('"').step_by(2).collect();
                assert!(!outside.contains("onclick") && !outside.contains("onerror"), "{page}");
            }
        }
    }
}

#[test]
fn the_buttons_retry_and_delete_a_row() {
    let folder = folder();
    let mut command = command(&folder);
    with_timings(&mut command, "work_pauses=1");
    let operators = Operators::start(&folder, command);
    let file = folder.join("repaired").into_os_string().into_string().unwrap();
    assert_eq!(operators.receiver.deliver(message("Visitor1", &file, 1).to_vec()), 200);
    assert_eq!(operators.receiver.deliver("not JSON"), 200);
    operators.receiver.row(1, "dead");
    fs::write(&file, "").unwrap();
    let (_, page) = operators.get("/?lane=work&rows=dead");
    let actions: Vec<String> =
        page.split("action=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&")).collect();
    let action = |start: &str| actions.iter().find(|action| action.starts_with(start)).unwrap();
    let answer = operators.press(action("/rows/1/retry"));
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert!(answer.contains("location: /?lane=work&rows=dead&page=0&done=retried&id=1\r\n"), "{answer}");
    operators.receiver.row(1, "done");
    // A second click does not repeat what is done by now.
    assert!(operators.press(action("/rows/1/retry")).contains("&done=nothing&id=1\r\n"));
    assert!(!operators.get("/rows/1").1.contains("/rows/1/retry"));
    let answer = operators.press(action("/rows/2/delete"));
    assert!(answer.contains("done=deleted&id=2\r\n"), "{answer}");
    assert_eq!((count(&folder, "id = 2"), count_in(&folder, "record", "true")), (0, 1));
    // The page says what the button did. A button that is pressed twice does nothing, and the page says so.
    assert!(operators.get("/?done=deleted&id=2").1.contains("Row 2 is deleted."));
    for button in ["retry", "delete"] {
        assert!(operators.press(&format!("/rows/2/{button}")).contains("location: /?done=nothing&id=2\r\n"));
    }
    operators.receiver.logs("row 2 is deleted from the page for operators");
}

#[test]
fn a_button_that_has_failed_does_nothing_later() {
    let folder = folder();
    let mut command = command(&folder);
    with_timings(&mut command, "statement=5000 busy=5000 write=1000");
    let operators = Operators::start(&folder, command);
    operators.receiver.deliver_until_kept("not JSON");
    let locked = lock(&folder);
    assert!(operators.press("/rows/1/delete").starts_with("HTTP/1.1 503 "));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
        AND query LIKE '%DELETE FROM item%' AND pid <> pg_backend_pid()";
    eventually("nothing waits for the lock", || !POSTGRES || rows(&folder, waiting)[0][0] == "0");
    drop(locked);
    // The thread that writes to SQLite does one thing after the other.
    operators.receiver.deliver_until_kept("not JSON either");
    assert_eq!(count(&folder, "id = 1"), 1);
    // On a busy machine, the page can give up although the row is deleted.
    eventually("the row is deleted", || {
        operators.press("/rows/1/delete");
        count(&folder, "id = 1") == 0
    });
}

#[test]
fn other_sites_cannot_use_the_page() {
    let operators = start();
    assert_eq!(operators.receiver.deliver("not JSON"), 200);
    let own = format!("Host: {}", operators.address);
    let port = operators.address.rsplit_once(':').unwrap().1;
    let (local, six) = (format!("Host: localhost:{port}"), format!("Host: [::1]:{port}"));
    let (rebound, tricky) = (format!("Host: example.com:{port}"), format!("Host: 127.0.0.1.example.com:{port}"));
    let user = format!("Host: 127.0.0.1@example.com:{port}");
    let origin = |host: &str| format!("Origin: http://{}", host.strip_prefix("Host: ").unwrap());
    let delete = |headers: &[&str]| {
        let answer = operators.ask("POST /rows/1/delete", &[headers, &["Content-Length: 0"]].concat());
        answer["HTTP/1.1 ".len()..][..3].parse::<u16>().unwrap()
    };
    // Another site sends a form. Some browsers say so in `Sec-Fetch-Site`, others only in `Origin`.
    for site in ["cross-site", "same-site", "none", "same-origin, same-origin"] {
        assert_eq!(delete(&[&own, &format!("Sec-Fetch-Site: {site}"), &origin(&own)]), 403, "{site}");
    }
    for origin in ["Origin: https://example.com", "Origin: null", "Origin: http://127.0.0.1:1", "Origin: 127.0.0.1"] {
        assert_eq!(delete(&[&own, origin]), 403, "{origin}");
    }
    assert_eq!(delete(&[&own]), 403);
    // For the browser, a site whose name leads here is the same origin as the page.
    for host in [rebound.as_str(), &tricky, &user, "Host: ", "Host: receiver", "Accept: */*"] {
        let origin = if host.starts_with("Host: ") { origin(host) } else { "Origin: null".to_owned() };
        assert_eq!(delete(&[host, "Sec-Fetch-Site: same-origin", &origin]), 421, "{host}");
        for path in ["/", "/rows/1", "/style.css"] {
            let answer = operators.ask(&format!("GET {path}"), &[host]);
            assert!(answer.starts_with("HTTP/1.1 421 ") && !answer.contains("not JSON"), "{host} {path}: {answer}");
        }
    }
    assert_eq!(delete(&[&own, &own, "Sec-Fetch-Site: same-origin"]), 421);
    // A link that leads to the page changes nothing.
    for path in ["/rows/1/delete", "/rows/1/retry"] {
        assert_eq!(operators.get(path).0, 405);
    }
    assert_eq!(rows(&operators.receiver.folder, "SELECT state FROM item"), [["dead"]]);
    // Requests of the page itself are accepted under each name of this machine. Prometheus may use any name.
    for host in [own.as_str(), &local, &six] {
        assert!(operators.ask("GET /", &[host]).starts_with("HTTP/1.1 200 "), "{host}");
    }
    assert!(operators.ask("GET /metrics", &[&rebound]).starts_with("HTTP/1.1 200 "));
    assert_eq!(delete(&[&local, &origin(&local)]), 303);
    // A proxy with another name passes the request on with the address of this page in `Host`. `Origin` then differs
    // from `Host`. The request is accepted, because the browser says that it has the origin of the page. The answer is
    // 303 although the row is gone by now.
    assert_eq!(delete(&[&own, "Sec-Fetch-Site: same-origin", "Origin: https://admin.example.com"]), 303);
    assert_eq!(count(&operators.receiver.folder, "true"), 0);
}

#[test]
fn each_answer_forbids_scripts_frames_and_caches() {
    let operators = start();
    let own = format!("Host: {}", operators.address);
    for (request, host, status) in [
        ("GET /", own.as_str(), 200),
        ("GET /style.css", &own, 200),
        ("GET /rows/1", &own, 404),
        ("GET /rows/x", &own, 400),
        ("GET /?page=x", &own, 400),
        ("GET /nowhere", &own, 404),
        ("POST /rows/1/delete", &own, 403),
        ("GET /", "Host: example.com", 421),
    ] {
        let answer = operators.ask(request, &[host]).to_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{request}: {answer}");
        for header in [
            "content-security-policy: default-src 'none'; style-src 'self'; form-action 'self'; \
                frame-ancestors 'none'; base-uri 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: same-origin",
            "cache-control: no-store",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(answer.contains(&format!("{header}\r\n")), "{request}, {header}: {answer}");
        }
        assert!(!answer.contains("<script") && !answer.contains("style="), "{answer}");
    }
}

#[test]
fn operators_do_not_hold_up_deliveries() {
    let operators = start();
    // Opens more connections than the port for operators serves.
    let idle: Vec<_> = (0..64).map(|_| operators.begin("GET / HT")).collect();
    assert_eq!(operators.receiver.deliver(fixtures::UNREPLIED), 200);
    operators.receiver.all_done();
    let metrics = operators.metrics();
    let open = metrics.lines().find_map(|line| line.strip_prefix(r#"twt_chat_open_connections{port="admin"} "#));
    assert!((1..=32).contains(&open.unwrap().parse().unwrap()), "{metrics}");
    assert_eq!(operators.get("/").0, 200);
    drop(idle);
}

#[test]
fn operators_ask_the_database_at_most_two_questions_at_a_time() {
    // SQLite answers at once, whoever else writes.
    if !POSTGRES {
        return;
    }
    let operators = start();
    let locked = lock(&operators.receiver.folder);
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let waiting: Vec<_> = (0..20).map(|_| operators.begin(request)).collect();
    let asked = || statements_that_wait(&operators.receiver.folder, "WITH open");
    eventually("two questions wait for the lock", || asked() >= 2);
    for _ in 0..10 {
        // On a busy machine, a third question can come from the receiver itself: at the start, it looks once for the
        // rows of channels that are not set.
        assert!(asked() <= 3);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop((locked, waiting));
    assert_eq!(operators.get("/").0, 200);
}

#[test]
fn health_is_the_same_on_both_ports() {
    let operators = start();
    assert_eq!(operators.get("/healthz"), operators.receiver.get("/healthz"));
    let table = if POSTGRES { "record" } else { "item" };
    execute(&operators.receiver.folder, &format!("ALTER TABLE {table} RENAME TO away"));
    assert_eq!(operators.get("/healthz").0, 503);
    assert_eq!(operators.receiver.get("/healthz").0, 503);
    eventually("both are logged", || operators.receiver.log().matches(": 503 in ").count() == 2);
    let log = operators.receiver.log();
    assert!(log.contains(r#"path="/healthz""#) && !log.contains("/healthz/healthz"), "{log}");
}
