//! # Other languages
//!
//! The repository and the published crate contain these files in the folder `schema`. They are generated from the types
//! of the crate, and a test keeps them current:
//!
//! - `documented-payload.schema.json`: the body of a documented event; additional fields are allowed
//! - `payload.schema.json`: any body that the crate can write, with unknown events
//! - `openapi.json`: the webhook as OpenAPI, with the first schema as the component `DocumentedPayload`
//!
//! To generate code, use `documented-payload.schema.json`. Generated TypeScript narrows the type of a body by its
//! `event`. Generated Python refuses a malformed body instead of taking it for an unknown event. It refuses an unknown
//! event too, so keep the body of such an event.
//!
//! With the feature `schemars`, `schema_for!(DocumentedPayload)` and `schema_for!(Payload)` generate the schemas in
//! your own program.
