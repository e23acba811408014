//! The rivals of the benchmarks decode and encode the documented bodies whole. Otherwise the budgets compare unlike
//! work.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use twt_chat_webhooks::fixtures;

// The benchmarks use more of these files than the tests do.
#[allow(dead_code)]
#[path = "../../benches/support/by_hand.rs"]
mod by_hand;
#[allow(dead_code)]
#[path = "../../benches/support/encode_by_hand.rs"]
mod encode_by_hand;
#[allow(dead_code)]
#[path = "../../benches/support/shapes.rs"]
mod shapes;

use shapes::{Exact, Form, Unreplied};

fn assert_shape<T: Serialize + DeserializeOwned>(body: &str, shape: &str) {
    let decoded: T = serde_json::from_str(body).unwrap_or_else(|error| panic!("{shape}: {error}"));
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(json!(decoded), body, "{shape} in benches/support/shapes.rs has other fields");
}

#[test]
fn the_derived_shapes_have_each_documented_field() {
    assert_shape::<Exact<String, Unreplied<String>>>(fixtures::UNREPLIED, "Unreplied");
    assert_shape::<Exact<String, Form<String>>>(fixtures::PRE_CHAT_FORM_SUBMIT, "Form");
    assert_shape::<Exact<String, Form<String>>>(fixtures::OFFLINE_FORM_SUBMIT, "Form");
}

#[test]
fn the_decoder_and_the_encoder_by_hand_know_each_field_of_an_unreplied_body() {
    let body = by_hand::decode(fixtures::UNREPLIED.as_bytes());
    let body = body.unwrap_or_else(|error| panic!("benches/support/by_hand.rs lacks a field: {error:?}"));
    let written: Value = serde_json::from_slice(&encode_by_hand::encode(&body)).unwrap();
    let documented: Value = serde_json::from_str(fixtures::UNREPLIED).unwrap();
    assert_eq!(written, documented, "benches/support/encode_by_hand.rs has other fields");
}
