//! Checks that verifying takes the same number of instructions, whichever digit of a forged signature is wrong.
//!
//! Otherwise a sender could find out the right signature digit by digit.

use std::hint::black_box;

use twt_chat_webhooks::fixtures::UNREPLIED;
use twt_chat_webhooks::{AppSecret, SignatureError, Verifier};

use crate::callgrind;
use crate::comparisons::{Way, repeat};

const ITERATIONS: u32 = 10;

/// The right signature comes last. Its count may differ, because `verify` returns another result. The sender learns
/// this result anyway.
pub fn verifications() -> [Way; 5] {
    [
        Way::new("the first digit is wrong", |n| verify(n, |place| place == 0)),
        Way::new("a middle digit is wrong", |n| verify(n, |place| place == 31)),
        Way::new("the last digit is wrong", |n| verify(n, |place| place == 63)),
        Way::new("every digit is wrong", |n| verify(n, |_| true)),
        Way::new("the signature is right", |n| verify(n, |_| false)),
    ]
}

fn verify(iterations: u32, is_wrong: fn(usize) -> bool) {
    let secret = AppSecret::new("the AppSecret of the account").unwrap();
    let right = secret.sign(UNREPLIED.as_bytes()).to_string();
    let digits = right.bytes().enumerate();
    let sent: Vec<_> = digits.map(|(place, digit)| if is_wrong(place) { other(digit) } else { digit }).collect();
    let expected = if sent == right.as_bytes() { Ok(0) } else { Err(SignatureError::Mismatch) };

    let verifier = Verifier::new(secret);
    assert_eq!(verifier.verify(UNREPLIED.as_bytes(), Some(&sent)), expected);
    repeat(iterations, || verifier.verify(black_box(UNREPLIED.as_bytes()), Some(black_box(&sent))));
}

/// Another hex digit: a numeral if `digit` is a numeral, and a letter if `digit` is a letter. Reading the header may
/// take longer for a letter than for a numeral. This tells the sender nothing, because the sender wrote the header.
fn other(digit: u8) -> u8 {
    match digit {
        b'9' | b'f' => digit - 1,
        _ => digit + 1,
    }
}

/// Prints the counts, and returns whether all wrong signatures take the same number of instructions. `place` is the
/// index of the first of `verifications` in the list of all ways.
pub fn report(verifications: &[Way], place: usize) -> bool {
    println!("\n{:44}{:>14}", "verify UNREPLIED", "instructions");
    let counts: Vec<_> =
        (place..).zip(verifications).map(|(place, _)| callgrind::count_all(place, ITERATIONS)).collect();
    for (way, count) in verifications.iter().zip(&counts) {
        println!("  {:42}{:>14}", way.name, count / u64::from(ITERATIONS));
    }
    let [wrong @ .., _] = counts.as_slice() else { return false };
    let is_constant = wrong.windows(2).all(|pair| pair[0] == pair[1]);
    if !is_constant {
        println!("\nthe number of instructions tells which digit is wrong: {wrong:?}");
    }
    is_constant
}
