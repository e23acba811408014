//! The list of the comparisons, with the budgets.

use std::hint::black_box;

use serde_json::Value;
use twt_chat_webhooks::fixtures::{PRE_CHAT_FORM_SUBMIT, UNREPLIED};
use twt_chat_webhooks::{Delivery, Payload};

use crate::support::bodies;
use crate::support::by_hand::{self, UnrepliedBody};
use crate::support::encode_by_hand;
use crate::support::rivals::{self, ExactForm, ExactUnreplied, ZeroCopyUnreplied};
use crate::support::shapes::Idiomatic;

/// The budget for linear cost. It compares the cost of one item in a body with the cost of one item in a body with a
/// tenth of the items, usually 10 000 and 1 000. The ratio exceeds 1, because the allocator needs more instructions
/// per item in a large body. For decoding, a body of 100 items is too small for the comparison, because its items cost
/// the allocator much less.
const LINEAR: f64 = 1.15;

/// All comparisons. The first argument of `within` is the budget.
pub fn comparisons() -> Vec<Comparison> {
    [decoding(), unusual_bodies(), encoding(), many_items()].into_iter().flatten().collect()
}

fn decoding() -> Vec<Comparison> {
    vec![
        ours("decode UNREPLIED", |n| decode(n, UNREPLIED, payload))
            .beside("scan only", |n| decode(n, UNREPLIED, rivals::scan))
            .within(0.84, "a decoder written by hand for this body", |n| decode(n, UNREPLIED, by_hand))
            .within(0.71, "zero-copy derive, from &str", |n| {
                repeat(n, || rivals::zero_copy::<ZeroCopyUnreplied>(black_box(UNREPLIED)));
            })
            .within(0.57, "sonic-rs, exact derive", |n| {
                decode(n, UNREPLIED, rivals::sonic::<ExactUnreplied>);
            })
            .within(0.47, "from_slice, exact derive", |n| {
                decode(n, UNREPLIED, rivals::from_slice::<ExactUnreplied>);
            })
            .beside("simd-json, exact derive", |n| {
                decode(n, UNREPLIED, rivals::simd::<ExactUnreplied>);
            })
            .within(0.35, "from_slice, idiomatic derive", |n| {
                decode(n, UNREPLIED, rivals::from_slice::<Idiomatic>);
            })
            .within(0.265, "Value", |n| {
                decode(n, UNREPLIED, rivals::from_slice::<Value>);
            })
            .beside("Value, then from_value, idiomatic derive", |n| {
                decode(n, UNREPLIED, rivals::value_then_from_value::<Idiomatic>);
            })
            .beside("clone and drop the result", |n| {
                let payload = payload(UNREPLIED.as_bytes());
                repeat(n, || black_box(&payload).clone());
            }),
        ours("decode UNREPLIED through serde_json", |n| {
            decode(n, UNREPLIED, rivals::from_slice::<Payload>);
        })
        .within(1.00, "idiomatic derive", |n| decode(n, UNREPLIED, rivals::from_slice::<Idiomatic>)),
        ours("decode PRE_CHAT_FORM_SUBMIT", |n| {
            decode(n, PRE_CHAT_FORM_SUBMIT, payload);
        })
        .within(0.51, "from_slice, exact derive", |n| {
            decode(n, PRE_CHAT_FORM_SUBMIT, rivals::from_slice::<ExactForm>);
        }),
        ours("verify and decode UNREPLIED", verify_and_decode)
            .beside("decode alone", |n| decode(n, UNREPLIED, payload)),
    ]
}

fn unusual_bodies() -> Vec<Comparison> {
    vec![
        ours("decode content before event", |n| {
            decode(n, &bodies::content_before_event(1), payload);
        })
        .within(0.72, "from_slice, exact derive", |n| {
            decode(n, &bodies::content_before_event(1), rivals::from_slice::<ExactUnreplied>);
        }),
        ours("decode an unknown event", |n| {
            decode(n, &bodies::unknown_event(), payload);
        })
        .within(0.70, "Value", |n| {
            decode(n, &bodies::unknown_event(), rivals::from_slice::<Value>);
        }),
        ours("decode with unknown fields", |n| {
            decode(n, &bodies::unknown_fields(), payload);
        })
        .beside("Value", |n| {
            decode(n, &bodies::unknown_fields(), rivals::from_slice::<Value>);
        }),
        ours("decode one unknown field of 10 000", |n| decode(n, &with_unknown_fields(10_000), payload))
            .per_item_of(10_000)
            .within(1.0, "Value", |n| decode(n, &with_unknown_fields(10_000), rivals::from_slice::<Value>))
            .per_item_of(10_000),
        // In 0.2.0, these two bodies took 0.342 and 0.406 of what `Value` takes. The budgets are 1.25 times as much.
        ours("decode the fields of the item in reverse", |n| decode(n, &bodies::fields_in_reverse(), payload)).within(
            0.43,
            "Value",
            |n| decode(n, &bodies::fields_in_reverse(), rivals::from_slice::<Value>),
        ),
        ours("decode unknown fields between the others", |n| decode(n, &bodies::unknown_between(), payload)).within(
            0.51,
            "Value",
            |n| decode(n, &bodies::unknown_between(), rivals::from_slice::<Value>),
        ),
        ours("explain a fault in UNREPLIED", explain_in_unreplied)
            .within(0.72, "Value", |n| decode(n, UNREPLIED, rivals::from_slice::<Value>)),
        ours("explain a fault behind 10 000 items", explain_behind_items::<10_000>)
            .per_item_of(10_000)
            .within(LINEAR, "behind 1 000 items", explain_behind_items::<1_000>)
            .per_item_of(1_000),
    ]
}

fn encoding() -> Vec<Comparison> {
    vec![
        ours("encode UNREPLIED", |n| encode(n, UNREPLIED))
            .within(1.12, "an encoder written by hand for this body", |n| encode_by_hand(n, UNREPLIED))
            .within(0.50, "sonic_rs::to_vec, exact derive", |n| {
                let payload: ExactUnreplied = rivals::from_slice(UNREPLIED.as_bytes());
                repeat(n, || sonic_rs::to_vec(black_box(&payload)).unwrap());
            })
            .within(0.40, "to_vec, exact derive", |n| encode_derived(n, UNREPLIED)),
        ours("encode a message with escapes", |n| encode(n, &bodies::escaped_message())).within(
            0.60,
            "to_vec, exact derive",
            |n| encode_derived(n, &bodies::escaped_message()),
        ),
        ours("encode an unknown event", |n| encode(n, &bodies::unknown_event())).within(1.00, "to_vec, Value", |n| {
            let value: Value = rivals::from_slice(bodies::unknown_event().as_bytes());
            repeat(n, || rivals::to_vec(black_box(&value)));
        }),
        ours("encode one item of 10 000", |n| encode(n, &bodies::with_items(10_000)))
            .per_item_of(10_000)
            .within(1.12, "the same by hand", |n| encode_by_hand(n, &bodies::with_items(10_000)))
            .per_item_of(10_000),
    ]
}

fn many_items() -> Vec<Comparison> {
    vec![
        ours("decode one item of 100", decode_items::<100>)
            .per_item_of(100)
            .beside("a body of one", |n| decode(n, UNREPLIED, payload)),
        ours("decode one item of 10 000", decode_items::<10_000>)
            .per_item_of(10_000)
            .beside("a body of one", |n| decode(n, UNREPLIED, payload))
            .within(0.87, "the same by hand", decode_items_by_hand::<10_000>)
            .per_item_of(10_000)
            .within(LINEAR, "one item of 1 000", decode_items::<1_000>)
            .per_item_of(1_000),
        ours("decode one item of 10 000 before its event", decode_items_first::<10_000>)
            .per_item_of(10_000)
            .within(LINEAR, "one item of 1 000", decode_items_first::<1_000>)
            .per_item_of(1_000),
        ours("put aside one item of 1 000", put_items_aside::<1_000>)
            .per_item_of(1_000)
            .within(1.75, "decoding a good one by hand", decode_items_by_hand::<1_000>)
            .per_item_of(1_000)
            .within(LINEAR, "one item of 100", put_items_aside::<100>)
            .per_item_of(100),
        ours("take UNREPLIED apart", |n| decode(n, UNREPLIED, Delivery::from_slice)).within(
            2.5,
            "decoding it by hand",
            |n| decode(n, UNREPLIED, by_hand),
        ),
        ours("take one item of 1 000 apart", |n| decode(n, &bodies::with_items(1_000), Delivery::from_slice))
            .per_item_of(1_000)
            .within(2.5, "decoding it by hand", decode_items_by_hand::<1_000>)
            .per_item_of(1_000),
    ]
}

/// Our way to do some work, and the other ways.
pub struct Comparison {
    pub ours: Way,
    pub rivals: Vec<Rival>,
}

pub struct Rival {
    pub way: Way,
    /// The largest allowed ratio of our count to the count of this way.
    pub budget: Option<f64>,
}

/// A way to do some work. `run` does the work `iterations` times.
pub struct Way {
    pub name: &'static str,
    pub run: fn(iterations: u32),
    /// The count is divided by this number. It is the number of items in the body if the way reports the cost of one
    /// item, and otherwise 1.
    pub items: u32,
}

fn ours(name: &'static str, run: fn(u32)) -> Comparison {
    Comparison { ours: Way::new(name, run), rivals: Vec::new() }
}

impl Comparison {
    /// All ways. Our way is the first.
    pub fn ways(&self) -> impl Iterator<Item = &Way> {
        std::iter::once(&self.ours).chain(self.rivals.iter().map(|rival| &rival.way))
    }

    fn within(mut self, budget: f64, name: &'static str, run: fn(u32)) -> Self {
        self.rivals.push(Rival { way: Way::new(name, run), budget: Some(budget) });
        self
    }

    fn beside(mut self, name: &'static str, run: fn(u32)) -> Self {
        self.rivals.push(Rival { way: Way::new(name, run), budget: None });
        self
    }

    /// Makes the way that was added last report the cost of one item.
    fn per_item_of(mut self, items: u32) -> Self {
        match self.rivals.last_mut() {
            Some(rival) => rival.way.items = items,
            None => self.ours.items = items,
        }
        self
    }
}

impl Way {
    pub fn new(name: &'static str, run: fn(u32)) -> Self {
        Self { name, run, items: 1 }
    }
}

/// Does the work and drops the result.
pub fn repeat<T>(iterations: u32, mut work: impl FnMut() -> T) {
    for _ in 0..iterations {
        black_box(&work());
    }
}

/// Calls `how` through `black_box`, so the optimiser can neither inline it nor merge it with the loop.
fn decode<'a, T>(iterations: u32, body: &'a str, how: fn(&'a [u8]) -> T) {
    let how = black_box(how);
    repeat(iterations, || how(black_box(body.as_bytes())));
}

fn payload(body: &[u8]) -> Payload {
    Payload::from_slice(body).unwrap()
}

fn by_hand(body: &[u8]) -> UnrepliedBody {
    by_hand::decode(body).unwrap()
}

fn encode(iterations: u32, body: &str) {
    let payload = payload(body.as_bytes());
    repeat(iterations, || black_box(&payload).to_vec());
}

fn encode_by_hand(iterations: u32, body: &str) {
    let body = by_hand(body.as_bytes());
    repeat(iterations, || encode_by_hand::encode(black_box(&body)));
}

fn encode_derived(iterations: u32, body: &str) {
    let payload: ExactUnreplied = rivals::from_slice(body.as_bytes());
    repeat(iterations, || rivals::to_vec(black_box(&payload)));
}

/// Checks that the decoder and the encoder written by hand are fair rivals.
///
/// They must decode the bodies to the same values as the crate, refuse malformed bodies, and encode to the same bytes.
pub fn check_by_hand() {
    let escaped = UNREPLIED.replace("Visitor15", r#"é\"\\\u00e9\ud83d\ude42"#).replace("ctccccd", r"a\tb");
    let escaped = escaped.replace(r#""status": "1""#, r#""status": "3""#);
    for body in [UNREPLIED, &escaped, &bodies::with_items(3), &bodies::content_before_event(2)] {
        let payload = payload(body.as_bytes());
        let hand = by_hand(body.as_bytes());
        assert_eq!(encode_by_hand::encode(&hand), payload.to_vec());
        assert_eq!((hand.created_at, hand.webhook_id), (payload.created_at.unix_seconds(), payload.webhook_id));
        let items = payload.event.as_unreplied().unwrap();
        assert_eq!(hand.content.len(), items.len());
        for (hand, item) in hand.content.iter().zip(items) {
            assert_eq!(hand.subject, item.subject);
            assert_eq!(hand.visitor_name, item.visitor_name);
            assert_eq!(hand.created_at, item.created_at.unix_seconds());
            assert_eq!(hand.message_content, item.message_content);
            assert_eq!(hand.property_name, item.property_name);
            assert_eq!(hand.visitor_nickname, item.visitor_nickname);
            assert_eq!(hand.sbs, item.sbs);
            assert_eq!(hand.status.as_str(), item.status.as_str());
            assert_eq!((hand.push_times, hand.time_sec), (item.push_times, item.time_sec));
            assert_eq!(hand.assigned_agent_nickname, item.assigned_agent_nickname);
        }
        for end in 0..body.trim_end().len() {
            assert!(by_hand::decode(&body.as_bytes()[..end]).is_err());
        }
    }
    for body in [bodies::unknown_event(), bodies::unknown_fields(), bodies::bad_push_times(), format!("{UNREPLIED}0")] {
        assert!(by_hand::decode(body.as_bytes()).is_err());
    }
}

fn decode_items<const COUNT: usize>(iterations: u32) {
    decode(iterations, &bodies::with_items(COUNT), payload);
}

fn decode_items_by_hand<const COUNT: usize>(iterations: u32) {
    decode(iterations, &bodies::with_items(COUNT), by_hand);
}

fn decode_items_first<const COUNT: usize>(iterations: u32) {
    decode(iterations, &bodies::content_before_event(COUNT), payload);
}

fn explain_in_unreplied(iterations: u32) {
    decode(iterations, &bodies::bad_push_times(), |body| Payload::from_slice(body).unwrap_err());
}

/// The fault is behind the last item: a number in the place of an item.
fn explain_behind_items<const COUNT: usize>(iterations: u32) {
    let body = bodies::with_items(COUNT).replace("\n]\n}", ",\n4\n]\n}");
    decode(iterations, &body, |body| Payload::from_slice(body).unwrap_err());
}

/// Every item of the body is bad.
fn put_items_aside<const COUNT: usize>(iterations: u32) {
    let body = bodies::with_items(COUNT).replace(r#""push_times": 4"#, r#""push_times": "four""#);
    decode(iterations, &body, |body| {
        let partial = Payload::from_slice_partial(body).unwrap();
        assert_eq!(partial.rejected.len(), COUNT);
        partial
    });
}

/// A body with this many unknown fields in its envelope.
///
/// The map of the unknown fields is a tree, so the cost of a field grows with the logarithm of `count`. The same is
/// true of a [`Value`].
fn with_unknown_fields(count: usize) -> String {
    let fields: Vec<_> = (0..count).map(|index| format!("\"field {index:05}\": {index}")).collect();
    UNREPLIED.replacen('{', &format!("{{{},", fields.join(",\n")), 1)
}

fn verify_and_decode(iterations: u32) {
    use twt_chat_webhooks::{AppSecret, Verifier};

    let secret = AppSecret::new("the AppSecret of the account").unwrap();
    let signature = secret.sign(UNREPLIED.as_bytes()).to_string();
    let verifier = Verifier::new(secret);
    repeat(iterations, || {
        let body = black_box(UNREPLIED.as_bytes());
        verifier.decode(body, Some(signature.as_bytes())).unwrap()
    });
}
