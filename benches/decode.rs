//! Measures the time to decode and encode bodies, with the crate and with its rivals.
//!
//! `cargo bench -p twt-chat-webhooks-benches --bench decode -- unknown` runs only the groups whose name contains
//! "unknown". For differences of a few percent, use the benchmark `instructions`. For memory, use `heap`.

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use support::bodies;
use support::rivals::{self, ExactForm, ExactUnreplied, ZeroCopyForm, ZeroCopyUnreplied};
use support::shapes::Idiomatic;
use twt_chat_webhooks::Payload;
use twt_chat_webhooks::fixtures::{OFFLINE_FORM_SUBMIT, PRE_CHAT_FORM_SUBMIT, UNREPLIED};

fn decode(c: &mut Criterion) {
    decode_form(c, "PRE_CHAT_FORM_SUBMIT", PRE_CHAT_FORM_SUBMIT);
    decode_form(c, "OFFLINE_FORM_SUBMIT", OFFLINE_FORM_SUBMIT);

    decode_unreplied(c, "UNREPLIED", UNREPLIED);
    decode_unreplied(c, "content before event", &bodies::content_before_event(1));
    decode_unreplied(c, "unknown fields", &bodies::unknown_fields());
    decode_unreplied(c, "1 MiB message", &bodies::long_message());
    for count in [1, 100, 10_000] {
        decode_unreplied(c, &format!("{count} items"), &bodies::with_items(count));
    }

    // The idiomatic derive is left out, because it returns an error for an unknown event.
    let body = bodies::unknown_event();
    let mut group = decode_group(c, "unknown event", &body);
    beside_rivals::<ExactUnreplied, ZeroCopyUnreplied>(&mut group, &body);
}

fn decode_unreplied(c: &mut Criterion, name: &str, body: &str) {
    let mut group = decode_group(c, name, body);
    beside_rivals::<ExactUnreplied, ZeroCopyUnreplied>(&mut group, body);
    beside_idiomatic(&mut group, body);
}

fn decode_form(c: &mut Criterion, name: &str, body: &str) {
    let mut group = decode_group(c, name, body);
    beside_rivals::<ExactForm, ZeroCopyForm>(&mut group, body);
    beside_idiomatic(&mut group, body);
}

fn decode_group<'c>(c: &'c mut Criterion, name: &str, body: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = c.benchmark_group(format!("decode {name}"));
    group.throughput(Throughput::Bytes(body.len() as u64));
    group
}

fn beside_rivals<'a, Exact, ZeroCopy>(group: &mut BenchmarkGroup<'_, WallTime>, body: &'a str)
where
    Exact: DeserializeOwned,
    ZeroCopy: Deserialize<'a>,
{
    let bytes = body.as_bytes();
    bench(group, "Payload::from_slice", bytes, payload);
    bench(group, "zero-copy derive", body, rivals::zero_copy::<ZeroCopy>);
    bench(group, "sonic-rs, exact derive", bytes, rivals::sonic::<Exact>);
    bench(group, "from_slice, exact derive", bytes, rivals::from_slice::<Exact>);
    bench(group, "simd-json, exact derive", bytes, rivals::simd::<Exact>);
    bench(group, "Value", bytes, rivals::from_slice::<Value>);
    bench(group, "Value, then from_value", bytes, rivals::value_then_from_value::<Exact>);
}

fn beside_idiomatic(group: &mut BenchmarkGroup<'_, WallTime>, body: &str) {
    let body = body.as_bytes();
    bench(group, "from_slice, idiomatic derive", body, rivals::from_slice::<Idiomatic>);
}

/// Measures `work`, and the drop of its output.
fn bench<'a, Input: ?Sized, Output>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    input: &'a Input,
    work: fn(&'a Input) -> Output,
) {
    group.bench_function(name, |bencher| bencher.iter(|| work(black_box(input))));
}

fn payload(body: &[u8]) -> Payload {
    Payload::from_slice(body).unwrap()
}

fn encode(c: &mut Criterion) {
    encode_beside_rivals::<ExactUnreplied>(c, "UNREPLIED", UNREPLIED);
    encode_beside_rivals::<ExactForm>(c, "PRE_CHAT_FORM_SUBMIT", PRE_CHAT_FORM_SUBMIT);
    encode_beside_rivals::<ExactForm>(c, "OFFLINE_FORM_SUBMIT", OFFLINE_FORM_SUBMIT);
    encode_beside_rivals::<ExactUnreplied>(c, "10000 items", &bodies::with_items(10_000));
}

fn encode_beside_rivals<Exact>(c: &mut Criterion, name: &str, body: &str)
where
    Exact: DeserializeOwned + Serialize,
{
    let body = body.as_bytes();
    let mut group = c.benchmark_group(format!("encode {name}"));
    bench(&mut group, "Payload::to_vec", &payload(body), Payload::to_vec);
    bench(&mut group, "to_vec, exact derive", &rivals::from_slice::<Exact>(body), rivals::to_vec);
    bench(&mut group, "to_vec, idiomatic derive", &rivals::from_slice::<Idiomatic>(body), rivals::to_vec);
    bench(&mut group, "to_vec, Value", &rivals::from_slice::<Value>(body), rivals::to_vec);
}

fn receive(c: &mut Criterion) {
    use twt_chat_webhooks::{AppSecret, Verifier};

    let secret = AppSecret::new("the AppSecret of the account").unwrap();
    let signature = secret.sign(UNREPLIED.as_bytes()).to_string();
    let verifier = Verifier::new(secret);

    let mut group = c.benchmark_group("receive UNREPLIED");
    group.bench_function("verify and decode", |bencher| {
        bencher.iter(|| {
            let body = black_box(UNREPLIED.as_bytes());
            verifier.decode(body, Some(signature.as_bytes())).unwrap()
        });
    });
    bench(&mut group, "decode", UNREPLIED.as_bytes(), payload);
}

/// Short times, so that the whole benchmark takes minutes.
fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
}

criterion_group! {
    name = benches;
    config = config();
    targets = decode, encode, receive
}
criterion_main!(benches);
