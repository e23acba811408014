//! Signatures: check that a request comes from the platform, and sign bodies for tests.
//!
//! The platform's *Signature Verification* page defines the signatures. Each request carries the header
//! `X-Chat-Signature`, which holds the HMAC-SHA256 of the **raw** body in lower-case hex digits. The key is the
//! account's `AppSecret`.
//!
//! `Verifier::receive` is the one call of a handler that stores what it receives:
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

use crate::delivery::Delivery;
use crate::error::DecodeError;
use crate::item_key::Hex;
use crate::partial::Partial;
use crate::payload::Payload;

type HmacSha256 = Hmac<Sha256>;

/// The name of the header that holds the signature. It is in lower case, as in HTTP/2 and in most frameworks.
pub const SIGNATURE_HEADER: &str = "x-chat-signature";

/// The account's `AppSecret`: the key with which the platform signs bodies.
///
/// An `AppSecret` does not hold the secret itself, but the state of HMAC that is prepared from it. `Debug` shows
/// neither of them.
///
/// When an `AppSecret` is dropped, its state is overwritten with zeros. The state is on the heap, so moving an
/// `AppSecret` leaves no copy behind. Two copies are not wiped: the text that you pass to [`new`](Self::new), and
/// traces of the computation on the stack, which stay until later calls overwrite them.
///
/// ```
/// use twt_chat_webhooks::{AppSecret, SecretError};
///
/// let secret = AppSecret::new("s3cret")?;
/// assert_eq!(format!("{secret:?}"), "AppSecret { .. }");
///
/// // A line end that was pasted along with the secret is an error.
/// let error = AppSecret::new("s3cret\n").unwrap_err();
/// assert_eq!(error, SecretError::SurroundingWhitespace);
/// # Ok::<(), SecretError>(())
/// ```
#[derive(Clone)]
pub struct AppSecret(Box<HmacSha256>);

/// Checks at compile time that the state of an [`AppSecret`] is wiped when it is dropped.
///
/// [`HmacSha256`] itself does not implement [`ZeroizeOnDrop`]. It consists of two states of SHA-256 and a buffer, and
/// the types of these parts do.
const _: () = {
    const fn is_wiped_on_drop<T: ZeroizeOnDrop>() {}
    is_wiped_on_drop::<<Sha256 as EagerHash>::Core>();
    is_wiped_on_drop::<Buffer<<HmacSha256 as CoreProxy>::Core>>();
};

impl AppSecret {
    /// Makes an `AppSecret` from the secret that the platform shows.
    ///
    /// White space at the ends of the secret is an error, because it was most likely copied by mistake. White space is
    /// any kind of space, the tab, any kind of line end, and also the invisible U+200B and U+FEFF. Vertical tab and
    /// form feed do not count as white space. White space inside the secret is accepted.
    ///
    /// # Errors
    ///
    /// - [`SecretError::Empty`] if the secret is empty or consists of white space only.
    /// - [`SecretError::SurroundingWhitespace`] if the secret starts or ends with white space. It is not removed
    ///   silently, because you may have pasted the same text into the configuration of other programs.
    /// - [`SecretError::Quoted`] if the secret starts and ends with the same quotation mark: `"`, `'` or a backtick.
    ///   Some programs do not remove the quotation marks of a configuration file. With them, the secret is a wrong one.
    ///   The crate writes no logs, so it cannot warn. It refuses, because a wrong secret would show only when the first
    ///   request arrives.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, SecretError> {
        let secret = secret.as_ref();
        // This reads the secret in place, because a copy would have to be wiped. Invalid UTF-8 counts as a character
        // that is not white space.
        let is_space = secret.utf8_chunks().flat_map(|chunk| {
            let invalid = !chunk.invalid().is_empty();
            chunk.valid().chars().map(is_white_space).chain(invalid.then_some(false))
        });
        if is_space.clone().all(|is_space| is_space) {
            return Err(SecretError::Empty);
        }
        if is_space.clone().next() == Some(true) || is_space.last() == Some(true) {
            return Err(SecretError::SurroundingWhitespace);
        }
        if let [first @ (b'"' | b'\'' | b'`'), .., last] = secret
            && first == last
        {
            return Err(SecretError::Quoted);
        }
        // This never fails, because HMAC accepts a key of any length.
        let state = HmacSha256::new_from_slice(secret).map_err(|_| SecretError::Empty)?;
        Ok(Self(Box::new(state)))
    }

    /// Signs a body in the same way as the platform.
    ///
    /// ```
    /// use twt_chat_webhooks::AppSecret;
    ///
    /// // A test case of RFC 4231.
    /// let signature = AppSecret::new("Jefe")?.sign(b"what do ya want for nothing?");
    /// let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    /// assert_eq!(signature.to_string(), expected);
    /// # Ok::<(), twt_chat_webhooks::SecretError>(())
    /// ```
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> Signature {
        Signature(self.digest(body).finalize().into_bytes().into())
    }

    /// Encodes and signs a payload. The result is a request for the tests of a handler.
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
    /// # Ok::<(), twt_chat_webhooks::SecretError>(())
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

/// Whether a character counts as white space at the ends of a secret.
///
/// Vertical tab and form feed do not count, because nobody copies them by mistake, and the keys of some test cases in
/// RFC 4231 consist of them.
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

/// Why a text was not accepted as an [`AppSecret`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is empty, or consists of white space only.
    #[error("the secret is empty")]
    Empty,
    /// The text starts or ends with white space, which was most likely copied by mistake.
    #[error("the secret starts or ends with white space")]
    SurroundingWhitespace,
    /// The text is in quotation marks, which most likely belong to the configuration file.
    #[error("the secret is in quotation marks")]
    Quoted,
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

/// A body and its signature, as a request for the tests of a handler. Made by [`AppSecret::sign_payload`].
///
/// `Debug` shows the signature. It does not show the body, which may hold what a visitor wrote.
///
/// ```
/// use twt_chat_webhooks::{AppSecret, fixtures};
///
/// let request = AppSecret::new("s3cret")?.sign_payload(&fixtures::unreplied());
/// let (name, value) = request.header();
/// assert_eq!(name, "x-chat-signature");
/// assert_eq!(value, request.signature.to_string());
/// # Ok::<(), twt_chat_webhooks::SecretError>(())
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
    /// The name and the value of the header that holds the signature. HTTP clients accept them in this form.
    #[must_use]
    pub fn header(&self) -> (&'static str, String) {
        (SIGNATURE_HEADER, self.signature.to_string())
    }
}

/// Shows the signature, but not the body.
impl fmt::Debug for SignedBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedBody").field("signature", &self.signature).finish_non_exhaustive()
    }
}

/// Verifies that bodies come from the platform. Make a `Verifier` at the start of the program and use it for all
/// requests.
///
/// To change the secret without losing a request, accept both the new and the old secret for a while:
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
/// # Ok::<(), twt_chat_webhooks::SecretError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    secrets: Vec<AppSecret>,
}

impl Verifier {
    /// Makes a verifier that accepts bodies that are signed with this secret.
    #[must_use]
    pub fn new(secret: AppSecret) -> Self {
        Self { secrets: Vec::from([secret]) }
    }

    /// Accepts bodies that are signed with this secret too.
    #[must_use]
    pub fn also(mut self, secret: AppSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Verifies the raw body of a request.
    ///
    /// `signature` is the value of the header [`SIGNATURE_HEADER`], or `None` if the request has no such header.
    ///
    /// Returns the index of the secret that matched: 0 for the secret from [`new`](Self::new), 1 for the first secret
    /// from [`also`](Self::also), and so on. If an old secret has not matched for a long time, you can remove it.
    ///
    /// # Errors
    ///
    /// - [`SignatureError::Missing`] if `signature` is `None`.
    /// - [`SignatureError::Malformed`] if `signature` is not exactly 64 hex digits, in upper or lower case.
    /// - [`SignatureError::Mismatch`] if none of the secrets gives this signature for this body.
    pub fn verify(&self, body: &[u8], signature: Option<&[u8]>) -> Result<usize, SignatureError> {
        let signature = signature.ok_or(SignatureError::Missing)?;
        let signature = Signature::from_hex(signature).ok_or(SignatureError::Malformed)?;
        let matches = |secret: &AppSecret| secret.digest(body).verify_slice(&signature.0).is_ok();
        self.secrets.iter().position(matches).ok_or(SignatureError::Mismatch)
    }

    /// Verifies a body like [`verify`](Self::verify), and then decodes it like [`Payload::from_slice`].
    ///
    /// # Errors
    ///
    /// - [`ReceiveError::Signature`] if [`verify`](Self::verify) fails. The body is not decoded in this case.
    /// - [`ReceiveError::Decode`] if the signature is right, but the body cannot be decoded.
    pub fn decode(&self, body: &[u8], signature: Option<&[u8]>) -> Result<Payload, ReceiveError> {
        self.verify(body, signature)?;
        Ok(Payload::from_slice(body)?)
    }

    /// Verifies a body like [`verify`](Self::verify), and then decodes it like [`Payload::from_slice_partial`].
    ///
    /// # Errors
    ///
    /// - [`ReceiveError::Signature`] if [`verify`](Self::verify) fails. The body is not decoded in this case.
    /// - [`ReceiveError::Decode`] if the signature is right, but the body cannot be decoded.
    pub fn decode_partial(&self, body: &[u8], signature: Option<&[u8]>) -> Result<Partial, ReceiveError> {
        self.verify(body, signature)?;
        Ok(Payload::from_slice_partial(body)?)
    }

    /// Verifies a body like [`verify`](Self::verify), and then takes it apart like [`Delivery::from_slice`]. This is
    /// the one call of a handler that stores what it receives.
    ///
    /// ```
    /// use twt_chat_webhooks::{AppSecret, Verifier, fixtures};
    ///
    /// let secret = AppSecret::new("s3cret")?;
    /// let request = secret.sign_payload(&fixtures::unreplied());
    /// let (_, header) = request.header();
    ///
    /// let verifier = Verifier::new(secret);
    /// let delivery = verifier.receive(&request.body, Some(header.as_bytes()))?;
    /// for record in delivery.records() {
    ///     println!("insert {} unless it is there", record.key);
    /// }
    /// assert_eq!(delivery.records().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignatureError`] if [`verify`](Self::verify) fails. A body with the right signature is never an error.
    pub fn receive(&self, body: &[u8], signature: Option<&[u8]>) -> Result<Delivery, SignatureError> {
        self.verify(body, signature)?;
        Ok(Delivery::from_slice(body))
    }
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The request has no signature. Either it does not come from the platform, or a proxy has removed the header.
    #[error("the request has no header {SIGNATURE_HEADER}")]
    Missing,
    /// The signature is not exactly 64 hex digits.
    ///
    /// The platform always sends 64 hex digits. If the request comes from a test of yours, look for a signature in
    /// base64, for a prefix such as `sha256=`, for white space, and for two headers that were joined with a comma.
    #[error("the signature is not 64 hex digits; base64, a prefix such as sha256= and white space are not accepted")]
    Malformed,
    /// The signature does not match the body.
    ///
    /// Requests of strangers fail in this way, and should. If requests of the platform fail, these are the causes, the
    /// most likely one first:
    ///
    /// 1. **The secret is wrong.** It belongs to another account or environment, it is an old one, or a part of it is
    ///    missing. Then every request fails.
    /// 2. **The body was changed.** The framework has parsed the JSON and the handler has written it again, or the body
    ///    was converted to text. The new text has other white space, escapes or numbers, or another order of the keys.
    ///    Take the body as bytes.
    /// 3. **The body is empty**, because a middleware has read it before your handler.
    /// 4. **A proxy has changed the body**: it has decompressed it, or changed the line ends.
    /// 5. **The secret was decoded.** It may look like hex or base64, but the key is the text itself.
    ///
    /// To tell the first cause from the others, send a request of your own to the handler. Sign it with the secret of
    /// the handler. Its body must have white space, also at its end, because this shows every change:
    ///
    /// ```
    /// use twt_chat_webhooks::{AppSecret, Verifier, fixtures};
    ///
    /// let secret = AppSecret::new("the secret of your handler")?;
    /// let body = format!("{}\n", fixtures::UNREPLIED);
    /// let signature = secret.sign(body.as_bytes()).to_string();
    ///
    /// let verifier = Verifier::new(secret);
    /// assert!(verifier.verify(body.as_bytes(), Some(signature.as_bytes())).is_ok());
    /// # Ok::<(), twt_chat_webhooks::SecretError>(())
    /// ```
    ///
    /// If the handler accepts this request, the body arrives unchanged, so the secret is not that of the platform. If
    /// the handler refuses it, something changes the body. `examples/trigger.rs` in the repository sends such a request
    /// if the body comes from standard input.
    #[error("the signature does not match the body: the secret is wrong, or the body is not as it was signed")]
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
/// assert_eq!(error.http_status(), 200);
/// # Ok::<(), twt_chat_webhooks::SecretError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The signature is missing, is malformed, or does not match the body. The body was not decoded.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The signature is right, so the body comes from the platform. But the body cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl ReceiveError {
    /// The HTTP status to answer: 403 if the signature is not accepted, and 200 if the body cannot be decoded.
    ///
    /// Before you answer 200, keep the body. [What to answer](crate::guide::handler#what-to-answer) says why.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Signature(_) => 403,
            Self::Decode(_) => 200,
        }
    }
}
