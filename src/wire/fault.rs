//! What is wrong with a value, and where.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// A fault in what is read, and the path to it. Boxed, so that a `Result` stays small where nothing is wrong.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    problem: Problem,
    /// Grows from its end to its start while the call stack unwinds.
    path: String,
    /// How much of the text was read when the fault was found. Means nothing for a buffered value.
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
    #[error("nested too deeply")]
    TooDeep,
    /// With some of its features, `serde_json` refuses an object that has one of its private keys.
    #[error("expected JSON without the private keys of serde_json")]
    PrivateKey,
    /// A reader gives no reason. `serde_json` gives it when the fault is explained.
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
        Self(Box::new(Inner { problem, path: String::new(), offset }))
    }

    /// The fault of a text that is not JSON. It has no reason yet.
    #[cold]
    #[inline(never)]
    pub(crate) fn not_json() -> Self {
        Self::new(Problem::NotJson { reason: String::new() }, 0)
    }

    /// Puts the name of the field in front of the path.
    #[cold]
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        let path = &mut self.0.path;
        if !path.is_empty() && !path.starts_with('[') {
            path.insert(0, '.');
        }
        path.insert_str(0, name);
        self
    }

    /// Puts the index of the item in front of the path.
    #[cold]
    pub(crate) fn in_item(mut self, index: usize) -> Self {
        let path = &mut self.0.path;
        let separator = if path.is_empty() { "" } else { "." };
        path.insert_str(0, &alloc::format!("[{index}]{separator}"));
        self
    }

    /// The problem, the path to it, and how much of the text was read when it was found.
    pub(crate) fn into_parts(self) -> (Problem, String, usize) {
        let Inner { problem, path, offset } = *self.0;
        (problem, path, offset)
    }
}

/// `content[0].push_times: expected …, found …`
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { problem, path, .. } = &*self.0;
        let separator = if path.is_empty() { "" } else { ": " };
        write!(formatter, "{path}{separator}{problem}")
    }
}
