//! [`Verifier`]: verifies a body before it is decoded or taken apart.

use alloc::vec::Vec;

use hmac::Mac;

use super::{AppSecret, SIGNATURE_HEADER, Signature};
use crate::delivery::Delivery;
use crate::error::DecodeError;
use crate::partial::Partial;
use crate::payload::Payload;

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

    /// Also accepts bodies that are signed with this secret.
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

    /// Verifies a body like [`verify`](Self::verify), and then takes it apart like [`Delivery::from_slice`]. A
    /// handler that stores what it receives needs this method, and not the other ones.
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
    /// A request that does not come from the platform fails in this way, as it should. If requests of the platform
    /// fail, these are the causes, the most likely one first:
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
    /// the handler. Its body must have white space, also at its end. Otherwise JSON that was parsed and written again
    /// could equal the original:
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
    /// the handler refuses the request, the cause is one of the others. `examples/trigger.rs` in the repository prints
    /// a command that sends such a request, if the body comes from standard input.
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
