//! One module for each promise of the crate.

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod benches;
mod body;
mod builders;
mod cbor;
#[cfg(feature = "schemars")]
mod code_generators;
mod delivery;
mod documented;
mod duplicates;
mod encode;
mod entry_points;
mod envelope;
mod errors;
mod event_type;
mod example_decode;
mod fixtures;
mod freshness;
mod hostile;
mod item_key;
mod key_order;
mod malformed;
#[cfg(feature = "signature")]
mod mistakes;
mod nesting;
mod numbers;
#[cfg(feature = "schemars")]
mod openapi;
mod oracle;
mod partial;
mod payload_files;
mod properties;
mod readme;
mod redaction;
mod relay;
mod round_trip;
#[cfg(feature = "schemars")]
mod schema;
mod sent_at;
#[cfg(feature = "signature")]
mod signature;
mod status;
mod summary;
mod syntax;
mod text;
mod timestamp;
mod traits;
#[cfg(all(feature = "signature", feature = "std"))]
mod trigger;
mod unknown_event;
mod unknown_fields;
mod validation;
mod wording;
mod yaml;
