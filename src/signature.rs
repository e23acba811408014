//! Signatures: check that a request comes from the platform, and sign bodies for tests.
//!
//! The platform's *Signature Verification* page defines the signatures. Each request carries the header
//! `X-Chat-Signature`, which holds the HMAC-SHA256 of the **raw** body in lower-case hex digits. The key is the
//! account's `AppSecret`.
//!
//! To store what your handler receives, call `Verifier::receive`. It verifies a request and takes the request apart:
//!
//! ```
//! use twt_chat_webhooks::{AppSecret, Delivery, Verifier, fixtures};
//!
//! fn handle(verifier: &Verifier, body: &[u8], signature: Option<&[u8]>) -> u16 {
//!     match verifier.receive(body, signature) {
//!         Ok(delivery) => if store(&delivery) { 200 } else { 503 },
//!         Err(_) => 403,
//!     }
//! }
//!
//! /// Inserts the records into a table with a unique key.
//! fn store(delivery: &Delivery) -> bool {
//!     !delivery.records().is_empty()
//! }
//!
//! // In a test. The request is like one from the platform:
//! let secret = AppSecret::new("the AppSecret of your account")?;
//! let request = secret.sign_payload(&fixtures::unreplied());
//! let (name, signature) = request.header();
//! assert_eq!(name, "x-chat-signature");
//! let verifier = Verifier::new(secret);
//! assert_eq!(handle(&verifier, &request.body, Some(signature.as_bytes())), 200);
//! assert_eq!(handle(&verifier, &request.body, None), 403);
//! # Ok::<(), twt_chat_webhooks::SecretError>(())
//! ```
//!
//! [A durable handler](crate::guide::handler) is a complete program, and says what to answer and why.
//!
//! # Two common mistakes
//!
//! The platform's own code samples make two mistakes. This module avoids both:
//!
//! - **Comparing signatures with `==`.** `==` stops at the first difference, so it takes longer the more leading digits
//!   of a forged signature are right. An attacker can measure this. This module compares signatures in constant time.
//! - **Decoding the body to text before verifying.** The signature covers the bytes of the body. A framework that hands
//!   over text or parsed JSON may have changed line ends, escapes, the order of keys, or bytes that are not UTF-8. So
//!   take the body as bytes, verify the bytes, and decode them afterwards.
//!
//! The signature of a captured request stays valid, because the signature does not expire.
//! [Old requests](crate::guide::old_requests) shows how to detect replayed requests.

mod secret;
mod verifier;

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use hmac::Hmac;
use hmac::digest::CtOutput;
use sha2::Sha256;

pub use self::secret::{AppSecret, SecretError, SignedBody};
pub use self::verifier::{ReceiveError, SignatureError, Verifier};
use crate::item_key::Hex;

type HmacSha256 = Hmac<Sha256>;

/// The name of the header that holds the signature. It is in lower case, as in HTTP/2 and in most frameworks.
pub const SIGNATURE_HEADER: &str = "x-chat-signature";

/// The HMAC-SHA256 of a body. Signatures are compared in constant time.
///
/// ```
/// use twt_chat_webhooks::{Signature, SignatureError};
///
/// let hex = "4ecdcaf813c422d34413671b2ed68e0a6e69ea8496d34ab40bd33cef26571e70";
/// let signature: Signature = hex.parse()?;
/// assert_eq!(signature.to_string(), hex);
/// assert_eq!(signature.as_bytes()[..4], [0x4e, 0xcd, 0xca, 0xf8]);
/// assert_eq!(Signature::from_bytes(*signature.as_bytes()), signature);
/// # Ok::<(), SignatureError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Signature([u8; 32]);

impl Signature {
    /// Makes a signature from its bytes, for example from a binary column.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the signature, for example for a binary column.
    ///
    /// Do not compare the bytes with `==`. This takes longer the more leading bytes of a forged signature are right.
    /// Compare the `Signature`s instead, which takes constant time.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn from_hex(text: &[u8]) -> Option<Self> {
        let (pairs, []) = text.as_chunks() else { return None };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = hex_digit(high)? << 4 | hex_digit(low)?;
        }
        Some(Self(bytes))
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Parses exactly 64 hex digits, in upper or lower case.
///
/// # Errors
///
/// [`SignatureError::Malformed`] for any other text.
impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        Self::from_hex(text.as_bytes()).ok_or(SignatureError::Malformed)
    }
}

/// Writes 64 lower-case hex digits. This is the value of the header.
impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.0).fmt(formatter)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signature({self})")
    }
}

/// Compares in constant time.
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        let [this, other] = [self, other].map(|signature| CtOutput::<HmacSha256>::new(signature.0.into()));
        this == other
    }
}

impl Eq for Signature {}

impl Hash for Signature {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
