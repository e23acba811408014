//! [`AppSecret`]: signs bodies. [`SignedBody`] is a body with its signature.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use hmac::digest::block_api::{Buffer, CoreProxy};
use hmac::digest::zeroize::ZeroizeOnDrop;
use hmac::{EagerHash, KeyInit, Mac};
use sha2::Sha256;

use super::{HmacSha256, SIGNATURE_HEADER, Signature};
use crate::payload::Payload;

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
/// [`HmacSha256`] itself does not implement [`ZeroizeOnDrop`]. But it consists of two states of SHA-256 and a buffer,
/// and the types of these parts implement the trait.
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
    ///   Some programs do not remove the quotation marks of a configuration file. The secret would then contain the
    ///   marks, and no signature would match. The crate writes no logs, so it cannot warn when the program starts. It
    ///   refuses the secret instead.
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

    pub(super) fn digest(&self, body: &[u8]) -> HmacSha256 {
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
