//! Which receivers are alive, and what becomes of the rows of those that are not.
//!
//! A receiver that works raises its number `beat`. The others count how often they look without seeing a change. They
//! do not compare times, so neither a clock that is set nor a process that was frozen makes them believe that others
//! are dead. A receiver that was taken for dead by mistake finds its entry gone, and starts over under a new number.

use std::collections::HashMap;
use std::sync::Mutex;

use rusqlite::{Result, Transaction};

use super::process;
use super::statements::{check_version, now};
use crate::store::{CUT_OFF, Plan, Trouble, attempts};

/// For each receiver: the last `beat`, and how often it was seen unchanged.
pub(super) type Observed = HashMap<i64, (i64, u128)>;

const RECEIVERS: &str = "SELECT id, beat, process, EXISTS (SELECT 1 FROM item WHERE owner = receiver.id)
    OR EXISTS (SELECT 1 FROM channel WHERE holder = receiver.id) FROM receiver";
const REMOVE: &str = "DELETE FROM receiver WHERE id = ?1";
/// Index: `item_owner`.
const TAKE_BACK: &str = "UPDATE item SET owner = NULL, problem = ?3,
    state = iif(attempts >= iif(channel = '', ?1, ?2), 'dead', 'waiting')
    WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM receiver)";
/// The message of the holder may just have arrived, so the next message waits for the whole gap.
const FREE: &str = concat!(
    "UPDATE channel SET holder = NULL, next_at = ",
    now!(),
    " + gap, pause = gap WHERE holder IS NOT NULL AND holder NOT IN (SELECT id FROM receiver)"
);
/// Index: `item_due`. The time until a row is due is never longer than its pause, unless the clock was set back. Then
/// the pause starts again, because nobody knows how much of it is over. The first comparison of `due_at` only lets
/// SQLite use the index.
const SET_CLOCK: &str = concat!(
    "UPDATE item SET due_at = ",
    now!(),
    " + pause WHERE channel = ?1 AND state = 'waiting' AND owner IS NULL AND due_at > ",
    now!(),
    " AND due_at > ",
    now!(),
    " + pause"
);
const SET_PACE_CLOCK: &str =
    concat!("UPDATE channel SET next_at = ", now!(), " + pause WHERE next_at > ", now!(), " + pause");

pub(super) fn tidy(
    transaction: &Transaction<'_>,
    plan: &Plan,
    observed: &Mutex<Observed>,
) -> Result<std::result::Result<(), Trouble>> {
    if let Some(trouble) = check_version(transaction)? {
        return Ok(Err(trouble));
    }
    // This many looks take at least as long as `silence`.
    let looks = plan.timings.silence.as_nanos().div_ceil(plan.timings.look.as_nanos().max(1));
    let mut receivers = transaction.prepare_cached(RECEIVERS)?;
    let receivers = receivers.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut now = Observed::new();
    // A poisoned lock means that a thread panicked while it held the lock. The map is still valid.
    let mut observed = observed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for receiver in receivers {
        let (id, beat, process, owns): (i64, i64, Option<String>, bool) = receiver?;
        let unchanged = observed.get(&id).filter(|(last, _)| owns && *last == beat).map_or(0, |(_, times)| times + 1);
        if unchanged >= looks || process.is_some_and(|process| process::has_ended(&process)) {
            transaction.prepare_cached(REMOVE)?.execute([id])?;
        } else {
            now.insert(id, (beat, unchanged));
        }
    }
    *observed = now;
    take_back(transaction, plan)?;
    for lane in plan.lanes() {
        transaction.prepare_cached(SET_CLOCK)?.execute([lane])?;
    }
    transaction.prepare_cached(SET_PACE_CLOCK)?.execute([])?;
    Ok(Ok(()))
}

fn take_back(transaction: &Transaction<'_>, plan: &Plan) -> Result<()> {
    let [work, channel] = [&plan.timings.work_pauses, &plan.timings.channel_pauses].map(|pauses| attempts(pauses));
    transaction.prepare_cached(TAKE_BACK)?.execute((work, channel, CUT_OFF))?;
    transaction.prepare_cached(FREE)?.execute([]).map(drop)
}

pub(super) fn leave(transaction: &Transaction<'_>, plan: &Plan, owner: i64) -> Result<()> {
    transaction.execute(REMOVE, [owner])?;
    take_back(transaction, plan)
}
