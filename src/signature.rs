//! Signatures: check that a request comes from the platform, and sign bodies for tests.
//!
//! The platform's *Signature Verification* page defines them. Each request carries the header `X-Chat-Signature`,
//! which holds the HMAC-SHA256 of the **raw** body in lower-case hex digits. The key is the account's `AppSecret`.
//!
//! ```
//! use twt_chat_webhooks::{AppSecret, Payload, ReceiveError, Verifier, fixtures};
//!
//! // Once, at the start:
//! let verifier = Verifier::new(AppSecret::new("s3cret")?);
//!
//! // For each request, with the value of the header SIGNATURE_HEADER if it is there:
//! fn receive(
//!     verifier: &Verifier,
//!     body: &[u8],
//!     signature: Option<&[u8]>,
//! ) -> Result<Payload, ReceiveError> {
//!     verifier.decode(body, signature)
//! }
//!
//! // In a test, a request as the platform would send it:
//! let request = AppSecret::new("s3cret")?.sign_payload(&fixtures::unreplied());
//! let (name, value) = request.header();
//! assert_eq!(name, "x-chat-signature");
//! assert!(receive(&verifier, &request.body, Some(value.as_bytes())).is_ok());
//! assert_eq!(receive(&verifier, &request.body, None).unwrap_err().http_status(), 403);
//! # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
//! ```
//!
//! # Two classic mistakes
//!
//! The platform's own samples make both of these mistakes, and code that is written by hand after them does too:
//!
//! - **Comparing with `==`.** A comparison of texts stops at the first difference. The time it takes tells how many
//!   leading digits of a forged signature are right. This module compares the 32 bytes of the signatures in constant
//!   time.
//! - **Decoding the body to text first.** The signature covers bytes. A framework that hands over a string or parsed
//!   JSON may have changed line ends, escapes, the order of the keys, or bytes that are not UTF-8. Take the body as
//!   bytes, verify the bytes, and decode them afterwards.
//!
//! The signature covers the body and no time of its own, so a captured request stays valid.
//! [Old requests](Payload#old-requests) shows what to do about it.
//!
//! # In a framework
//!
//! Ask the framework for the body as bytes. `handle` is the function of the
//! [crate page](crate#getting-started), which also has the handler for axum. All other names are those of the
//! framework:
//!
//! ```text
//! use twt_chat_webhooks::SIGNATURE_HEADER;
//!
//! // actix-web
//! async fn receive(
//!     verifier: web::Data<Verifier>,
//!     request: HttpRequest,
//!     body: web::Bytes,
//! ) -> HttpResponse {
//!     let signature = request.headers().get(SIGNATURE_HEADER);
//!     let signature = signature.map(|value| value.as_bytes());
//!     let status = handle(&verifier, &body, signature);
//!     let status = StatusCode::from_u16(status);
//!     HttpResponse::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
//! }
//!
//! // AWS Lambda (lambda_http), which decodes a body that comes in base64
//! async fn receive(
//!     verifier: &Verifier,
//!     request: Request,
//! ) -> Result<Response<Body>, Error> {
//!     let signature = request.headers().get(SIGNATURE_HEADER);
//!     let signature = signature.map(|value| value.as_bytes());
//!     let status = handle(verifier, request.body().as_ref(), signature);
//!     Ok(Response::builder().status(status).body(Body::Empty)?)
//! }
//!
//! // Cloudflare Workers (worker)
//! async fn receive(
//!     verifier: &Verifier,
//!     mut request: Request,
//! ) -> worker::Result<Response> {
//!     let signature = request.headers().get(SIGNATURE_HEADER)?;
//!     let body = request.bytes().await?;
//!     let status = handle(verifier, &body, signature.as_deref().map(str::as_bytes));
//!     Ok(Response::empty()?.with_status(status))
//! }
//! ```
//!
//! The package `examples/receiver` of the repository is a whole receiver with axum and a database.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use hmac::digest::CtOutput;
use hmac::digest::block_api::{Buffer, CoreProxy};
use hmac::digest::zeroize::ZeroizeOnDrop;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::DecodeError;
use crate::partial::Partial;
use crate::payload::Payload;

type HmacSha256 = Hmac<Sha256>;

/// The name of the header that holds the signature. It is in lower case, as in HTTP/2 and in most frameworks.
pub const SIGNATURE_HEADER: &str = "x-chat-signature";

/// The account's `AppSecret`, the key that the platform signs with.
///
/// An `AppSecret` keeps the prepared state of HMAC instead of the secret itself, and `Debug` shows neither.
///
/// The state is overwritten with zeros when the `AppSecret` is dropped. The state lies on the heap, so moving an
/// `AppSecret` leaves no copy behind. The text that you pass to [`new`](Self::new) is yours to wipe. The stack may
/// keep traces of a computation until later calls overwrite them.
///
/// ```
/// use twt_chat_webhooks::{AppSecret, InvalidSecret};
///
/// let secret = AppSecret::new("s3cret")?;
/// assert_eq!(format!("{secret:?}"), "AppSecret { .. }");
///
/// // Pasted together with the end of the line:
/// let error = AppSecret::new("s3cret\n").unwrap_err();
/// assert_eq!(error, InvalidSecret::SurroundingWhitespace);
/// # Ok::<(), InvalidSecret>(())
/// ```
#[derive(Clone)]
pub struct AppSecret(Box<HmacSha256>);

/// Does not compile unless the state of an [`AppSecret`] is wiped when it is dropped.
///
/// [`HmacSha256`] has no marker for this. It consists of two states of SHA-256 and a buffer, and each of them has the
/// marker.
const _: () = {
    const fn is_wiped_on_drop<T: ZeroizeOnDrop>() {}
    is_wiped_on_drop::<<Sha256 as EagerHash>::Core>();
    is_wiped_on_drop::<Buffer<<HmacSha256 as CoreProxy>::Core>>();
};

impl AppSecret {
    /// Takes the secret as the platform shows it.
    ///
    /// White space is whatever a copy from a console may bring along: spaces of any kind, tabs, line ends, and the
    /// invisible U+200B and U+FEFF. White space inside a secret is left alone.
    ///
    /// # Errors
    ///
    /// - [`InvalidSecret::Empty`] if there is nothing but white space.
    /// - [`InvalidSecret::SurroundingWhitespace`] if there is white space at either end. It is not removed silently,
    ///   because other programs may be configured with the same pasted text.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, InvalidSecret> {
        let secret = secret.as_ref();
        // Read in place: a copy of the secret as text would have to be wiped. Invalid UTF-8 counts as a visible
        // character.
        let is_space = secret.utf8_chunks().flat_map(|chunk| {
            let invalid = !chunk.invalid().is_empty();
            chunk.valid().chars().map(is_white_space).chain(invalid.then_some(false))
        });
        if is_space.clone().all(|is_space| is_space) {
            return Err(InvalidSecret::Empty);
        }
        if is_space.clone().next() == Some(true) || is_space.last() == Some(true) {
            return Err(InvalidSecret::SurroundingWhitespace);
        }
        // HMAC takes a key of any length, so the error never happens.
        let state = HmacSha256::new_from_slice(secret).map_err(|_| InvalidSecret::Empty)?;
        Ok(Self(Box::new(state)))
    }

    /// Signs a body, as the platform does.
    ///
    /// ```
    /// use twt_chat_webhooks::AppSecret;
    ///
    /// // A test case of RFC 4231.
    /// let signature = AppSecret::new("Jefe")?.sign(b"what do ya want for nothing?");
    /// let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    /// assert_eq!(signature.to_string(), expected);
    /// # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
    /// ```
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> Signature {
        Signature(self.digest(body).finalize().into_bytes().into())
    }

    /// Encodes and signs a payload, which gives a request for the tests of a handler.
    ///
    /// ```
    /// use twt_chat_webhooks::{AppSecret, Verifier, fixtures};
    ///
    /// let secret = AppSecret::new("s3cret")?;
    /// let request = secret.sign_payload(&fixtures::unreplied());
    ///
    /// let (_, signature) = request.header();
    /// let verifier = Verifier::new(secret);
    /// let received = verifier.decode(&request.body, Some(signature.as_bytes()));
    /// assert_eq!(received, Ok(fixtures::unreplied()));
    /// # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
    /// ```
    #[must_use]
    pub fn sign_payload(&self, payload: &Payload) -> SignedBody {
        let body = payload.to_vec();
        let signature = self.sign(&body);
        SignedBody { body, signature }
    }

    fn digest(&self, body: &[u8]) -> HmacSha256 {
        HmacSha256::clone(&self.0).chain_update(body)
    }
}

/// Vertical tab and form feed do not count. No console copies them, and RFC 4231 has test cases with keys made of
/// them.
fn is_white_space(character: char) -> bool {
    match character {
        '\u{b}' | '\u{c}' => false,
        '\u{200b}' | '\u{feff}' => true,
        _ => character.is_whitespace(),
    }
}

/// Shows neither the secret nor the state of HMAC.
impl fmt::Debug for AppSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AppSecret").finish_non_exhaustive()
    }
}

/// Why a text cannot be an [`AppSecret`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// The text is empty, or consists of white space.
    #[error("the secret is empty")]
    Empty,
    /// The text starts or ends with white space, which most likely was copied along with the secret.
    #[error("the secret starts or ends with white space")]
    SurroundingWhitespace,
}

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
    /// To compare signatures, compare the `Signature`s. Comparing the bytes takes longer the more leading bytes of a
    /// forged signature are right.
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

/// From exactly 64 hex digits of either case.
///
/// # Errors
///
/// [`SignatureError::Malformed`] for anything else.
impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        Self::from_hex(text.as_bytes()).ok_or(SignatureError::Malformed)
    }
}

/// The value of the header: 64 lower-case hex digits.
impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
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

/// A body and its signature, as a request for the tests of a handler. Made by [`AppSecret::sign_payload`].
///
/// `Debug` shows the signature and not the body, which holds what a visitor wrote.
///
/// ```
/// use twt_chat_webhooks::{AppSecret, fixtures};
///
/// let request = AppSecret::new("s3cret")?.sign_payload(&fixtures::unreplied());
/// let (name, value) = request.header();
/// assert_eq!(name, "x-chat-signature");
/// assert_eq!(value, request.signature.to_string());
/// # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SignedBody {
    /// The body as it is sent.
    pub body: Vec<u8>,
    /// The signature of the body.
    pub signature: Signature,
}

impl SignedBody {
    /// The name and the value of the header that holds the signature, in the form that HTTP clients take.
    #[must_use]
    pub fn header(&self) -> (&'static str, String) {
        (SIGNATURE_HEADER, self.signature.to_string())
    }
}

/// Shows the signature and not the body.
impl fmt::Debug for SignedBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedBody").field("signature", &self.signature).finish_non_exhaustive()
    }
}

/// Verifies that bodies come from the platform. Make a `Verifier` at the start of the program and share it.
///
/// To change the secret without losing a request, accept the old secret beside the new one for a while:
///
/// ```
/// use twt_chat_webhooks::{AppSecret, SignatureError, Verifier};
///
/// let (new, old) = (AppSecret::new("new s3cret")?, AppSecret::new("old s3cret")?);
/// let header = old.sign(b"{}").to_string();
///
/// let verifier = Verifier::new(new).also(old);
/// assert_eq!(verifier.verify(b"{}", Some(header.as_bytes())), Ok(1));
/// let forged = verifier.verify(b"[]", Some(header.as_bytes()));
/// assert_eq!(forged, Err(SignatureError::Mismatch));
/// # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    secrets: Vec<AppSecret>,
}

impl Verifier {
    /// Makes a verifier that accepts bodies signed with this secret.
    #[must_use]
    pub fn new(secret: AppSecret) -> Self {
        Self { secrets: Vec::from([secret]) }
    }

    /// Accepts bodies signed with this secret too.
    #[must_use]
    pub fn also(mut self, secret: AppSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Verifies the raw body of a request.
    ///
    /// `signature` is the value of the header [`SIGNATURE_HEADER`], or `None` if the request has no such header.
    ///
    /// Returns which secret matched: 0 for the secret given to [`new`](Self::new), 1 for the first given to
    /// [`also`](Self::also), and so on. An old secret that has not matched for long enough can be removed.
    ///
    /// # Errors
    ///
    /// - [`SignatureError::Missing`] if `signature` is `None`.
    /// - [`SignatureError::Malformed`] if it is not exactly 64 hex digits of either case.
    /// - [`SignatureError::Mismatch`] if it is not the signature of this body with any of the secrets.
    pub fn verify(&self, body: &[u8], signature: Option<&[u8]>) -> Result<usize, SignatureError> {
        let signature = signature.ok_or(SignatureError::Missing)?;
        let signature = Signature::from_hex(signature).ok_or(SignatureError::Malformed)?;
        let matches = |secret: &AppSecret| secret.digest(body).verify_slice(&signature.0).is_ok();
        self.secrets.iter().position(matches).ok_or(SignatureError::Mismatch)
    }

    /// Verifies a body like [`verify`](Self::verify), and only then decodes it like [`Payload::from_slice`].
    ///
    /// # Errors
    ///
    /// - [`ReceiveError::Signature`] if the body cannot be verified.
    /// - [`ReceiveError::Decode`] if it is verified and cannot be decoded.
    pub fn decode(&self, body: &[u8], signature: Option<&[u8]>) -> Result<Payload, ReceiveError> {
        self.verify(body, signature)?;
        Ok(Payload::from_slice(body)?)
    }

    /// Verifies a body like [`verify`](Self::verify), and only then decodes it like [`Payload::from_slice_partial`].
    ///
    /// # Errors
    ///
    /// - [`ReceiveError::Signature`] if the body cannot be verified.
    /// - [`ReceiveError::Decode`] if it is verified and cannot be decoded.
    pub fn decode_partial(&self, body: &[u8], signature: Option<&[u8]>) -> Result<Partial, ReceiveError> {
        self.verify(body, signature)?;
        Ok(Payload::from_slice_partial(body)?)
    }
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The request has no signature. It does not come from the platform, or a proxy has dropped the header.
    #[error("the request has no header {SIGNATURE_HEADER}")]
    Missing,
    /// The signature is not exactly 64 hex digits.
    #[error("the signature is not 64 hex digits")]
    Malformed,
    /// The signature is not that of this body.
    ///
    /// If this happens to the platform's own requests, the secret belongs to another account, or something has
    /// changed the body before it was verified.
    #[error("the signature does not match the body")]
    Mismatch,
}

/// Why a request was not accepted.
///
/// ```
/// use twt_chat_webhooks::{AppSecret, ReceiveError, SignatureError, Verifier};
///
/// let secret = AppSecret::new("s3cret")?;
/// let header = secret.sign(b"{").to_string();
/// let verifier = Verifier::new(secret);
///
/// let error = verifier.decode(b"{", None).unwrap_err();
/// assert_eq!(error, ReceiveError::Signature(SignatureError::Missing));
/// assert_eq!(error.http_status(), 403);
///
/// let error = verifier.decode(b"{", Some(header.as_bytes())).unwrap_err();
/// assert!(matches!(error, ReceiveError::Decode(_)));
/// assert_eq!(error.http_status(), 400);
/// # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The signature is missing, malformed, or not that of the body. The body has not been decoded.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The body comes from the platform and cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl ReceiveError {
    /// The HTTP status that says what was wrong: 403 for the signature, 400 for the body.
    ///
    /// The platform repeats a delivery that is not answered with 200. To receive a body that cannot be decoded only
    /// once, keep it and answer 200, as the handler on the [crate page](crate#getting-started) does.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Signature(_) => 403,
            Self::Decode(_) => 400,
        }
    }
}
