//! The guide: one page for each question. It contains documentation only.
//!
//! - What does a handler look like that loses nothing? What do I answer? [`handler`]
//! - How do I store what I receive? [`storing`]
//! - How do I recognize an item that is delivered twice? [`repeated_items`]
//! - How do I detect an old request that is sent again? [`old_requests`]
//! - How do I correct an item that cannot be decoded? [`mending`]
//! - What does the crate accept, and what does it write? [`reading`]
//! - How do I test and fuzz my handler? [`testing`]
//! - How do I use the types inside my own serde types? [`through_serde`]
//! - Which other formats can hold the types? [`other_formats`]
//! - How do I get the types in TypeScript, Python and other languages? [`other_languages`]

pub mod handler;
pub mod mending;
pub mod old_requests;
pub mod other_formats;
pub mod other_languages;
pub mod reading;
pub mod repeated_items;
pub mod storing;
pub mod testing;
pub mod through_serde;
