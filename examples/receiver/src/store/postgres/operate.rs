//! The statements that tidy the inbox, and those with which operators change rows.

use tokio_postgres::{Client, Error, Statement};

use super::connection::{Connection, Statements, away};
use super::{check_version, owner};
use crate::store::{Plan, Prune, Retry, Trouble};

/// Index: `item_due`. The time until a row is due is never longer than its pause, unless the clock was set back. Then
/// the pause starts again, because nobody knows how much of it is over. The first comparison of `due_at` only lets
/// PostgreSQL use the index. Race: a row that a claim has locked is skipped, because such a row is due.
const SET_CLOCK: &str = "
    UPDATE item SET due_at = now() + pause WHERE id IN (
        SELECT id FROM item WHERE channel = ANY ($1) AND state = 'waiting' AND owner IS NULL
            AND due_at > now() AND due_at > now() + pause
        LIMIT 10000 FOR UPDATE SKIP LOCKED)";
const SET_PACE_CLOCK: &str = "UPDATE channel SET next_at = now() + pause WHERE next_at > now() + pause";

pub(super) struct Prepared {
    take_back: Statement,
    set_clock: Statement,
    set_pace_clock: Statement,
}

impl Statements for Prepared {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            take_back: client.prepare(owner::TAKE_BACK).await?,
            set_clock: client.prepare(SET_CLOCK).await?,
            set_pace_clock: client.prepare(SET_PACE_CLOCK).await?,
        })
    }
}

pub(super) async fn tidy(connection: &Connection<Prepared>, plan: &Plan) -> Result<(), Trouble> {
    let Connection { client, prepared, .. } = connection;
    check_version(client).await?;
    owner::take_back(client, &prepared.take_back, plan).await?;
    client.execute(&prepared.set_clock, &[&plan.lanes()]).await.map_err(away)?;
    client.execute(&prepared.set_pace_clock, &[]).await.map(drop).map_err(away)
}

/// The two statements that put rows back to waiting. A row that is in work is not changed. They also lift the pauses of
/// the channels: `next_at - pause` is when the last message ended, and the next message waits for the gap after this
/// time. Race: a message that is under way sets `next_at` when it ends.
macro_rules! put_back {
    ($which:literal) => {
        concat!(
            "WITH put_back AS (
                UPDATE item SET state = 'waiting', attempts = 0, problem = NULL, due_at = now(), pause = '0'
                WHERE owner IS NULL AND ",
            $which,
            " RETURNING channel
            ), lifted AS (
                UPDATE channel SET next_at = next_at - pause + gap, pause = gap
                WHERE name IN (SELECT channel FROM put_back) AND pause > gap
            )
            SELECT count(*) FROM put_back"
        )
    };
}
/// Index: the primary keys.
const RETRY_ONE: &str = put_back!("id = $1 AND ($2 OR state <> 'done')");
/// Index: `item_dead`, and the primary keys. The statement changes at most 1,000 rows, so that no transaction takes
/// long.
const RETRY_DEAD: &str =
    put_back!("state = 'dead' AND id IN (SELECT id FROM item WHERE state = 'dead' ORDER BY channel, id LIMIT 1000)");

pub(super) async fn retry(client: &Client, retry: Retry) -> Result<u64, Error> {
    let put_back = match retry {
        Retry::Dead => client.query_one(RETRY_DEAD, &[]).await?,
        Retry::One(id) => client.query_one(RETRY_ONE, &[&id, &true]).await?,
        Retry::NotDone(id) => client.query_one(RETRY_ONE, &[&id, &false]).await?,
    };
    put_back.try_get(0).map(i64::cast_unsigned)
}

/// Index: the primary keys. A row that is in work is not deleted. Race: the lock on the record makes a second `delete`
/// or `prune` wait. So the second statement sees that the record has no row left.
const DELETE: &str = "
    WITH old AS (
        SELECT item.id FROM item JOIN record ON record.id = item.record
        WHERE item.id = $1 FOR UPDATE OF record
    )
    DELETE FROM item USING old WHERE item.id = old.id AND owner IS NULL RETURNING record";
/// Index: `item_record`.
const LEFT: &str = "SELECT count(*) FROM item WHERE record = $1";

pub(super) async fn delete(client: &mut Client, id: i64) -> Result<Option<u64>, Error> {
    let transaction = client.transaction().await?;
    let Some(row) = transaction.query_opt(DELETE, &[&id]).await? else { return Ok(None) };
    let record: i64 = row.try_get(0)?;
    let left: i64 = transaction.query_one(LEFT, &[&record]).await?.try_get(0)?;
    transaction.execute(PRUNE_RECORDS, &[&[record].as_slice()]).await?;
    transaction.commit().await?;
    Ok(Some(left.cast_unsigned()))
}

/// Race: the lock on the record makes a second `prune` wait. So the second `prune` sees that the record has no row
/// left. A row that `retry` puts back meanwhile is not deleted, because the state is compared again.
const PRUNE: &str = "
    WITH old AS (
        SELECT item.id FROM item JOIN record ON record.id = item.record
        WHERE state = $1 AND received_at < now() - $2::bigint * interval '1 day' AND coalesce(event = ANY ($3), $4)
        LIMIT 1000 FOR UPDATE OF record
    )
    DELETE FROM item USING old WHERE item.id = old.id AND state = $1 RETURNING record";
/// Index: the primary key, and `item_record`.
const PRUNE_RECORDS: &str =
    "DELETE FROM record WHERE id = ANY ($1) AND NOT EXISTS (SELECT FROM item WHERE item.record = record.id)";

pub(super) async fn prune(client: &mut Client, prune: &Prune) -> Result<u64, Error> {
    let transaction = client.transaction().await?;
    let (days, events) = (i64::from(prune.days), prune.events());
    let rows = transaction.query(PRUNE, &[&prune.state(), &days, &events, &prune.event.is_none()]).await?;
    let records: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    transaction.execute(PRUNE_RECORDS, &[&records]).await?;
    transaction.commit().await?;
    Ok(rows.len() as u64)
}
