//! Faults: what is wrong with a body or a value, and where.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// A fault: what is wrong, and the path to the place. The box keeps each `Result<_, Fault>` small.
#[derive(Debug)]
pub(crate) struct Fault(Box<FaultInner>);

#[derive(Debug)]
struct FaultInner {
    problem: Problem,
    /// Built from its end to its start: each reader that returns the fault adds its field or index in front.
    path: String,
    /// How many bytes of the body had been read when the fault was found. It is 0 for a buffered value, and for a body
    /// that is not JSON.
    offset: usize,
}

/// What is wrong with a value or a body.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Problem {
    #[error("expected {expected}, found {found}")]
    Unexpected { expected: &'static str, found: &'static str },
    #[error("the field is missing")]
    Missing,
    #[error("the field is there twice")]
    Repeated,
    #[error("too many items cannot be decoded")]
    TooManyRejected,
    #[error("nested too deeply")]
    TooDeep,
    /// With some of its features, `serde_json` rejects an object that has one of its private keys.
    #[error("expected JSON without the private keys of serde_json")]
    PrivateKey,
    /// The readers leave the reason empty. When [`DecodeError`](crate::DecodeError) explains the fault, it takes the
    /// reason from `serde_json`.
    #[error("the body is not JSON that can be read: {reason}")]
    NotJson { reason: String },
    #[error("the body ends too early: {reason}")]
    Truncated { reason: String },
    #[error("the body is not UTF-8")]
    NotUtf8,
}

impl Fault {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(problem: Problem, offset: usize) -> Self {
        Self(Box::new(FaultInner { problem, path: String::new(), offset }))
    }

    /// The fault for a body that is not JSON. Its reason is still empty.
    #[cold]
    #[inline(never)]
    pub(crate) fn not_json() -> Self {
        Self::new(Problem::NotJson { reason: String::new() }, 0)
    }

    /// Adds the name of a field in front of the path, which is empty or starts with the index of an item.
    #[cold]
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        self.0.path.insert_str(0, name);
        self
    }

    /// Adds the index of an item in front of the path.
    #[cold]
    pub(crate) fn in_item(mut self, index: usize) -> Self {
        let path = &mut self.0.path;
        let separator = if path.is_empty() { "" } else { "." };
        path.insert_str(0, &alloc::format!("[{index}]{separator}"));
        self
    }

    /// The problem, its path, and its offset in bytes.
    pub(crate) fn into_parts(self) -> (Problem, String, usize) {
        let FaultInner { problem, path, offset } = *self.0;
        (problem, path, offset)
    }
}

/// Writes `content[0].push_times: expected …, found …`.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultInner { problem, path, .. } = &*self.0;
        let separator = if path.is_empty() { "" } else { ": " };
        write!(formatter, "{path}{separator}{problem}")
    }
}
