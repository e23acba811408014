//! A mock of the runtime API of AWS Lambda. The mock hands requests to a function as events, and takes the answers.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, serve};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, mpsc as events};

use crate::PATIENCE;

/// Builds the handler. It is a package of its own, as its `Cargo.toml` explains.
pub fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda/Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap());
    cargo.args(["build", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(target);
    assert!(cargo.status().unwrap().success());
    target.join("debug/lambda")
}

pub struct Api {
    /// Runs the mock until the test ends.
    _runtime: Runtime,
    pub address: SocketAddr,
    events: events::Sender<Value>,
    answers: std::sync::Mutex<mpsc::Receiver<Value>>,
    /// Whether events hold the body in base64. API Gateway decides this by the type of the content.
    is_base64: bool,
}

struct Shared {
    events: Mutex<events::Receiver<Value>>,
    answers: mpsc::Sender<Value>,
}

impl Api {
    pub fn start(is_base64: bool) -> Self {
        let (events, next_events) = events::channel(1);
        let (next_answers, answers) = mpsc::channel();
        let shared = Shared { events: Mutex::new(next_events), answers: next_answers };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .with_state(Arc::new(shared));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async { serve(listener, routes).await });
        Self { _runtime: runtime, address, events, answers: answers.into(), is_base64 }
    }

    /// Sends a request as an event of API Gateway or of a function URL. Returns the status of the answer.
    pub fn post(&self, body: &[u8], signature: Option<&str>) -> u16 {
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/webhooks/twt-chat",
            "rawQueryString": "",
            "headers": { "content-type": "application/json" },
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "example",
                "domainName": "example.com",
                "domainPrefix": "example",
                "http": {
                    "method": "POST",
                    "path": "/webhooks/twt-chat",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "example"
                },
                "requestId": "example",
                "routeKey": "$default",
                "stage": "$default",
                "time": "11/Dec/2025:07:59:01 +0000",
                "timeEpoch": 1_765_439_941_000_u64
            },
            "isBase64Encoded": self.is_base64,
        });
        let text = if self.is_base64 { STANDARD.encode(body) } else { str::from_utf8(body).unwrap().to_owned() };
        event["body"] = text.into();
        if let Some(signature) = signature {
            event["headers"]["x-chat-signature"] = signature.into();
        }
        self.events.blocking_send(event).unwrap();
        let answer = self.answers.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        answer["statusCode"].as_u64().unwrap().try_into().unwrap()
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let event = shared.events.lock().await.recv().await.unwrap_or_default();
    let head = [
        ("lambda-runtime-aws-request-id", "example"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:example"),
    ];
    (head, event.to_string())
}

async fn response(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let _ = shared.answers.send(serde_json::from_slice(&body).unwrap_or_default());
    StatusCode::ACCEPTED
}
