//! Keeps other sites from using the page through the browser of an operator.
//!
//! - A site can send a form to this page. The browser says in a header that the request comes from another site.
//! - A site can let its own name lead to this machine (DNS rebinding), so that the browser takes the page for a part
//!   of the site. Such a request names the site in `Host`. So `Host` must be an IP address, `localhost`, or the name
//!   in `ADMIN_ADDR`. None of these can be the name of another site.
//! - A site can show the page in a frame and make the operator click. The headers forbid this.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// `Referrer-Policy` is not `no-referrer`: with that value, browsers send `Origin: null` with the forms of this page.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What the guard needs to know.
#[derive(Clone)]
pub struct Guard {
    /// The name in `ADMIN_ADDR`.
    name: String,
}

impl Guard {
    pub fn new(address: &str) -> Self {
        Self { name: address.rsplit_once(':').map_or(address, |(name, _)| name).to_owned() }
    }

    /// Whether this `Host` is a name of this page, and not the name of a stranger's site that leads here.
    fn is_host(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        let is_name = [self.name.as_str(), "localhost"].into_iter().any(|own| own.eq_ignore_ascii_case(name));
        !host.contains('@') && (is_address || is_name)
    }

    fn refusal(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let Some(host) = only(headers, &header::HOST).filter(|host| self.is_host(host)) else {
            return Some((
                StatusCode::MISDIRECTED_REQUEST,
                "This page is shown only for an IP address, localhost, and the name in ADMIN_ADDR.\n",
            ));
        };
        if matches!(*method, Method::GET | Method::HEAD) || is_same_origin(headers, host) {
            return None;
        }
        Some((StatusCode::FORBIDDEN, "This request does not come from the page itself.\n"))
    }
}

/// Whether a request that changes something comes from the page itself. Browsers send `Sec-Fetch-Site` only over HTTPS
/// and to this machine, and `Origin` with each form. A request with neither header is refused. Scripts can use the
/// command `receiver` instead.
fn is_same_origin(headers: &HeaderMap, host: &str) -> bool {
    if headers.contains_key("sec-fetch-site") {
        return only(headers, &HeaderName::from_static("sec-fetch-site")) == Some("same-origin");
    }
    let origin = only(headers, &header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(scheme, authority)| matches!(scheme, "http" | "https") && authority == host)
}

/// The value of a header, if the request has this header exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Refuses requests from other sites, and adds `HEADERS` to each answer.
pub async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.refusal(request.method(), request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::Guard;

    #[test]
    fn a_host_is_an_address_or_a_name_of_this_machine() {
        let guard = Guard::new("receiver.example.com:9100");
        for host in ["127.0.0.1", "127.0.0.1:9100", "10.0.0.7:1", "[::1]:9100", "[::1]", "localhost", "LOCALHOST:9100"]
        {
            assert!(guard.is_host(host), "{host}");
        }
        for host in ["receiver.example.com", "receiver.example.com:9100", "RECEIVER.example.com"] {
            assert!(guard.is_host(host), "{host}");
            assert!(!Guard::new("0.0.0.0:9100").is_host(host), "{host}");
        }
        for host in [
            "",
            ":",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "evilreceiver.example.com",
            "receiver.example.com.",
            "localhost@example.com",
            "example.com@localhost",
            "127.0.0.1/",
            "127.1",
            "2130706433",
        ] {
            assert!(!guard.is_host(host), "{host}");
        }
    }
}
