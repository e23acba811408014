//! The receiver answers a real HTTP client as it says.

#![allow(clippy::std_instead_of_alloc, reason = "a server has std")]

use core::time::Duration;
use std::ffi::OsString;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::sync::{Arc, Barrier, mpsc as std_mpsc};
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::yield_now;
use twt_chat_webhooks::signature::SIGNATURE_HEADER;
use twt_chat_webhooks::{AppSecret, EventType, Payload, Verifier, fixtures};
use ureq::Agent;

#[path = "../src/main.rs"]
#[allow(dead_code, reason = "`main` is the example's own")]
mod example;

const PATH: &str = "/webhooks/twt-chat";

fn secret() -> AppSecret {
    AppSecret::new("s3cret of example.com").unwrap()
}

fn old_secret() -> AppSecret {
    AppSecret::new("old s3cret of example.com").unwrap()
}

/// A body whose customer, and all that the customer wrote, can be looked for in answers and logs.
fn telling_body() -> String {
    fixtures::UNREPLIED.replace("Visitor15", "Visitor-Ada").replace(r#""1","#, r#""my PIN is 4711","#)
}

/// The example's router on a free port. What the router passes on is looked at by the test.
struct Server {
    _runtime: Runtime,
    url: String,
    accepted: mpsc::Receiver<Payload>,
    log: std_mpsc::Receiver<String>,
}

impl Server {
    fn start(queue: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (queue, accepted) = mpsc::channel(queue);
        let (lines, log) = std_mpsc::channel();
        let verifier = Verifier::new(secret()).also(old_secret());
        let router = example::router(verifier, queue, move |line| lines.send(line.to_owned()).unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { _runtime: runtime, url, accepted, log }
    }

    /// Posts a body, with the signature that the secret gives it.
    fn post_signed(&self, body: impl AsRef<[u8]>, secret: &AppSecret) -> (u16, String) {
        let signature = secret.sign(body.as_ref()).to_string();
        post(&self.url, body, Some(&signature))
    }

    /// What has been passed on, without waiting for more: it is before the answer is.
    fn accepted(&mut self) -> Vec<Payload> {
        core::iter::from_fn(|| self.accepted.try_recv().ok()).collect()
    }

    /// The lines that have been logged, which is before the answer too.
    fn log(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }
}

/// A client as impatient as the platform: without an answer within 5 seconds, it fails.
fn client() -> Agent {
    Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).http_status_as_error(false).build().into()
}

fn post(url: &str, body: impl AsRef<[u8]>, signature: Option<&str>) -> (u16, String) {
    let mut request = client().post(format!("{url}{PATH}")).content_type("application/json");
    if let Some(signature) = signature {
        request = request.header(SIGNATURE_HEADER, signature);
    }
    let mut response = request.send(body.as_ref()).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

/// The line without the time that it took.
fn timeless(line: &str) -> String {
    let (request, rest) = line.split_once(" in ").unwrap();
    let note = rest.split_once(": ").map_or("", |(_, note)| note);
    format!("{request} {note}").trim_end().to_owned()
}

#[test]
fn a_documented_event_is_accepted() {
    let mut server = Server::start(8);
    for body in [fixtures::UNREPLIED, fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::OFFLINE_FORM_SUBMIT] {
        assert_eq!(server.post_signed(body, &secret()), (200, String::new()));
    }
    let expected = [fixtures::unreplied(), fixtures::pre_chat_form_submit(), fixtures::offline_form_submit()];
    assert_eq!(server.accepted(), expected);
    assert_eq!(
        server.log().iter().map(|line| timeless(line)).collect::<Vec<_>>(),
        [
            "POST /webhooks/twt-chat 200 UNREPLIED, items: 1",
            "POST /webhooks/twt-chat 200 PRE_CHAT_FORM_SUBMIT, items: 1",
            "POST /webhooks/twt-chat 200 OFFLINE_FORM_SUBMIT, items: 1",
        ]
    );
}

#[test]
fn an_unknown_event_is_accepted_whole() {
    let mut server = Server::start(8);
    let body = fixtures::UNREPLIED.replace("UNREPLIED", r"NEW\nSESSION");
    assert_eq!(server.post_signed(&body, &secret()), (200, String::new()));
    assert_eq!(server.accepted(), [body.parse().unwrap()]);
    assert_eq!(timeless(&server.log()[0]), r#"POST /webhooks/twt-chat 200 unknown event "NEW\nSESSION""#);
}

#[test]
fn the_old_secret_is_accepted_and_noted() {
    let mut server = Server::start(8);
    assert_eq!(server.post_signed(fixtures::UNREPLIED, &old_secret()), (200, String::new()));
    assert_eq!(server.accepted(), [fixtures::unreplied()]);
    let log = server.log();
    assert_eq!(timeless(&log[0]), "POST /webhooks/twt-chat 200 UNREPLIED, items: 1, signed with the old secret");
}

#[test]
fn a_bad_signature_is_refused() {
    let mut server = Server::start(8);
    let signature = secret().sign(telling_body().as_bytes()).to_string();
    let tampered = telling_body().replace("4711", "4712");
    let foreign = AppSecret::new("another account's").unwrap().sign(telling_body().as_bytes()).to_string();

    let mismatch = "the signature does not match the body";
    let malformed = "the signature is not 64 hex digits";
    let cases = [
        (tampered.as_str(), Some(signature.as_str()), mismatch),
        (&telling_body(), Some(&foreign), mismatch),
        ("not JSON at all", Some(&signature), mismatch),
        (&telling_body(), Some(&format!("sha256={signature}")), malformed),
        (&telling_body(), Some(""), malformed),
        (&telling_body(), None, "the request has no header x-chat-signature"),
    ];
    for (body, signature, problem) in cases {
        assert_eq!(post(&server.url, body, signature), (403, format!("{problem}\n")));
        let log = server.log();
        assert_eq!(log.len(), 1);
        assert_eq!(timeless(&log[0]), format!("POST /webhooks/twt-chat 403 {problem}"));
    }
    assert_eq!(server.accepted(), []);
}

#[test]
fn a_body_that_cannot_be_read_is_refused_without_quoting_it() {
    let mut server = Server::start(8);
    let malformed = telling_body().replace(r#""push_times": 4"#, r#""push_times": "four""#);
    let problem = "UNREPLIED content[0].push_times: expected an unsigned integer, found a string (line 15, column 20)";
    assert_eq!(server.post_signed(&malformed, &secret()), (400, format!("{problem}\n")));
    assert_eq!(
        server.log().iter().map(|line| timeless(line)).collect::<Vec<_>>(),
        [format!("POST /webhooks/twt-chat 400 {problem}")]
    );

    let body = telling_body();
    for unreadable in [b"".as_slice(), &body.as_bytes()[..body.len() - 5], b"\xff\xfe", b"[\"my PIN is 4711\"]"] {
        let (status, answer) = server.post_signed(unreadable, &secret());
        assert_eq!(status, 400, "{answer}");
        let log = server.log().concat();
        for text in [answer, log] {
            assert!(!text.contains("4711") && !text.contains("Ada"), "{text}");
        }
    }
    assert_eq!(server.accepted(), []);
}

#[test]
fn a_body_above_the_limit_is_refused() {
    let mut server = Server::start(8);
    let padded = |length: usize| format!("{}{}", telling_body(), " ".repeat(length - telling_body().len()));

    let (status, _) = server.post_signed(padded(example::MAX_BODY), &secret());
    assert_eq!(status, 200);
    assert_eq!(server.accepted().len(), 1);

    let (status, answer) = server.post_signed(padded(example::MAX_BODY + 1), &secret());
    assert_eq!(status, 413, "{answer}");
    assert_eq!(server.accepted(), []);
    assert_eq!(
        server.log().iter().map(|line| timeless(line)).collect::<Vec<_>>(),
        ["POST /webhooks/twt-chat 200 UNREPLIED, items: 1", "POST /webhooks/twt-chat 413",]
    );
}

#[test]
fn two_hundred_requests_at_once_are_answered() {
    const REQUESTS: usize = 200;
    let mut server = Server::start(REQUESTS);
    let start = Barrier::new(REQUESTS);
    let url = server.url.as_str();
    let mut visitors: Vec<String> = (0..REQUESTS).map(|number| format!("Visitor{number:03}")).collect();
    thread::scope(|scope| {
        for visitor in &visitors {
            let start = &start;
            scope.spawn(move || {
                let body = fixtures::UNREPLIED.replace("Visitor15", visitor);
                let signature = secret().sign(body.as_bytes()).to_string();
                start.wait();
                assert_eq!(post(url, body, Some(&signature)), (200, String::new()));
            });
        }
    });
    let accepted = server.accepted();
    let mut seen: Vec<String> = accepted
        .iter()
        .flat_map(|payload| payload.event.as_unreplied().unwrap())
        .map(|message| message.visitor_name.clone())
        .collect();
    seen.sort();
    visitors.sort();
    assert_eq!(seen, visitors);
    assert_eq!(server.log().len(), REQUESTS);
}

#[test]
fn the_answer_does_not_wait_for_the_work() {
    // Nobody works until both answers are there; a third event finds no room and is left to the platform.
    let mut server = Server::start(2);
    assert_eq!(server.post_signed(fixtures::UNREPLIED, &secret()).0, 200);
    assert_eq!(server.post_signed(fixtures::UNREPLIED, &secret()).0, 200);
    assert_eq!(server.post_signed(fixtures::UNREPLIED, &secret()), (503, "busy\n".into()));
    assert_eq!(server.accepted().len(), 2);
    assert_eq!(server.post_signed(fixtures::UNREPLIED, &secret()).0, 200);
}

#[test]
fn other_requests_are_answered_too() {
    let server = Server::start(8);
    let get = |path: &str| {
        let mut response = client().get(format!("{}{path}", server.url)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    assert_eq!(get("/healthz"), (200, "ok\n".into()));
    assert_eq!(get(PATH).0, 405);
    assert_eq!(get("/elsewhere%0A?secret=4711").0, 404);
    assert_eq!(
        server.log().iter().map(|line| timeless(line)).collect::<Vec<_>>(),
        ["GET /healthz 200", "GET /webhooks/twt-chat 405", "GET /elsewhere%0A 404",]
    );
}

/// Serves, posts, and stops, and then calls `then` before waiting for the end. Returns what was logged.
fn serve_and_stop<W: Future<Output = ()> + Send + 'static>(
    payloads: &[Payload],
    work: impl Fn(Payload) -> W + Send + 'static,
    then: impl FnOnce(),
) -> Vec<String> {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (lines, log) = std_mpsc::channel();
    let log_line = move |line: &str| lines.send(line.to_owned()).unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap() };
    let served = runtime.spawn(example::serve(listener, Verifier::new(secret()), work, log_line, stopped));

    for payload in payloads {
        let signed = secret().sign_payload(payload);
        assert_eq!(post(&url, signed.body, Some(&signed.signature.to_string())).0, 200);
    }
    stop.send(()).unwrap();
    then();
    runtime.block_on(served).unwrap().unwrap();
    log.try_iter().collect()
}

#[test]
fn what_was_accepted_is_worked_on_before_the_server_ends() {
    let gate = Arc::new(Semaphore::new(0));
    let (done, worked_on) = std_mpsc::channel();
    let work = {
        let gate = Arc::clone(&gate);
        move |payload: Payload| {
            let (gate, done) = (Arc::clone(&gate), done.clone());
            async move {
                gate.acquire().await.unwrap().forget();
                // A server that does not wait for the work has every chance to end before it.
                for _ in 0..10_000 {
                    yield_now().await;
                }
                done.send(payload.event_type()).unwrap();
            }
        }
    };
    let payloads = [fixtures::unreplied(), fixtures::pre_chat_form_submit(), fixtures::offline_form_submit()];
    let log = serve_and_stop(&payloads, work, || {
        assert!(worked_on.try_recv().is_err());
        gate.add_permits(payloads.len());
    });
    assert_eq!(worked_on.try_iter().collect::<Vec<_>>(), EventType::DOCUMENTED);
    assert_eq!(log.len(), payloads.len());
}

#[test]
fn a_panic_in_the_work_loses_one_event_only() {
    let (done, worked_on) = std_mpsc::channel();
    let work = move |payload: Payload| {
        let done = done.clone();
        async move {
            // A panic without the message on standard error.
            if payload.event_type() == EventType::Unreplied {
                resume_unwind(Box::new("the team's own mistake"));
            }
            done.send(payload.event_type()).unwrap();
        }
    };
    let log = serve_and_stop(&[fixtures::unreplied(), fixtures::offline_form_submit()], work, || ());
    assert_eq!(worked_on.try_iter().collect::<Vec<_>>(), [EventType::OfflineFormSubmit]);
    assert!(log.iter().any(|line| line == "the work on an event panicked"));
}

#[test]
fn the_secrets_come_from_the_environment() {
    let environment = |secret: Option<&'static str>, old: Option<&'static str>| {
        move |name: &str| match name {
            "TWT_APP_SECRET" => secret.map(OsString::from),
            "TWT_APP_SECRET_OLD" => old.map(OsString::from),
            _ => None,
        }
    };
    let matching = |old| {
        let verifier = example::verifier(environment(Some("new"), old)).unwrap();
        ["new", "old"].map(|secret| {
            let signature = AppSecret::new(secret).unwrap().sign(b"{}").to_string();
            verifier.verify(b"{}", Some(signature.as_bytes())).ok()
        })
    };
    assert_eq!(matching(None), [Some(0), None]);
    assert_eq!(matching(Some("")), [Some(0), None]);
    assert_eq!(matching(Some("old")), [Some(0), Some(1)]);

    for (secret, old, expected) in [
        (None, None, "TWT_APP_SECRET is not set: start with TWT_APP_SECRET="),
        (Some(""), None, "TWT_APP_SECRET is not set: start with TWT_APP_SECRET="),
        (Some(" "), None, "TWT_APP_SECRET: the secret is empty"),
        (Some("new\n"), None, "TWT_APP_SECRET: the secret starts or ends with white space"),
        (Some("new"), Some(" old"), "TWT_APP_SECRET_OLD: the secret starts or ends with white space"),
    ] {
        let problem = example::verifier(environment(secret, old)).unwrap_err();
        assert!(problem.starts_with(expected), "{problem}");
        assert!(!problem.contains('\n'), "{problem}");
        assert_eq!(example::run(environment(secret, old)), ExitCode::from(2));
    }
}
