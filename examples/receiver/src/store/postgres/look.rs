//! What operators look at. Each look has a connection of its own and the time limit of a statement, so that no delivery
//! waits for it.

use std::time::Duration;

use tokio_postgres::{Client, Error};

use super::connection::{CLASS, Connection, away, within};
use crate::store::wait::Times;
use crate::store::{Row, Standing, Trouble, Which};
use crate::timings::Timings;

/// Index: `item_due`, `item_owner` and `item_dead`, so that the rows that are done cost nothing. A row that was
/// received later has a larger number, unless both rows came at the same moment. So the row with the smallest number is
/// the oldest.
const OVERVIEW: &str = "
    WITH open (channel, waiting, in_work, dead, oldest) AS (
        SELECT channel, count(*), 0, 0, min(id) FROM item WHERE state = 'waiting' AND owner IS NULL GROUP BY channel
        UNION ALL SELECT channel, 0, count(*), 0, min(id) FROM item WHERE owner IS NOT NULL GROUP BY channel
        UNION ALL SELECT channel, 0, 0, count(*), NULL FROM item WHERE state = 'dead' GROUP BY channel
    ), sums AS (
        SELECT channel, sum(waiting)::bigint, sum(in_work)::bigint, sum(dead)::bigint, min(oldest) AS oldest
        FROM open GROUP BY channel
    )
    SELECT sums.*, (
        SELECT greatest(0, extract(epoch FROM now() - received_at))::float8
        FROM record WHERE id = (SELECT record FROM item WHERE item.id = sums.oldest))
    FROM sums";

pub(super) async fn overview(connection: &Connection<()>, timings: &Timings) -> Result<Vec<Standing>, Trouble> {
    let standing = |row: tokio_postgres::Row| {
        let age: Option<f64> = row.try_get(5)?;
        Ok(Standing {
            channel: row.try_get(0)?,
            waiting: row.try_get(1)?,
            in_work: row.try_get(2)?,
            dead: row.try_get(3)?,
            oldest: age.and_then(|age| Duration::try_from_secs_f64(age).ok()),
        })
    };
    let query = async {
        let rows = connection.client.query(OVERVIEW, &[]).await.map_err(away)?;
        rows.into_iter().map(standing).collect::<Result<_, Error>>().map_err(away)
    };
    within(timings.statement, query).await
}

/// The start of each statement that lists rows. `served` has the numbers of the locks that `owner::SERVE` takes. The
/// view `pg_locks` shows these numbers without a sign, so the query subtracts 2^32. The first parameter is `CLASS`.
macro_rules! select_rows {
    () => {
        r#"WITH served AS MATERIALIZED (
            SELECT objid::bigint - 4294967296 AS number FROM pg_locks JOIN pg_database ON pg_database.oid = database
            WHERE datname = current_database() AND locktype = 'advisory' AND classid = $1::int::oid
                AND mode = 'ShareLock'
        )
        SELECT item.id, event, channel, CASE WHEN owner IS NULL THEN state ELSE 'in work' END,
            to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), attempts, problem,
            (extract(epoch FROM due_at) * 1000)::bigint, (extract(epoch FROM next_at) * 1000)::bigint,
            coalesce(channel.pause > gap, false), holder IS NOT NULL, (extract(epoch FROM now()) * 1000)::bigint,
            -1 - (hashtext(channel) & 1073741823) IN (SELECT number FROM served)
        FROM item JOIN record ON record.id = item.record LEFT JOIN channel ON channel.name = item.channel "#
    };
}

/// Reads the columns of `select_rows!`.
fn row(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let (channel, state): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let (due_at, next_at, now) = (row.try_get(7)?, row.try_get(8)?, row.try_get(11)?);
    let (asked, held, served) = (row.try_get(9)?, row.try_get(10)?, row.try_get(12)?);
    let times = Times { now, due_at, next_at, asked, held, served };
    Ok(Row {
        id: row.try_get(0)?,
        event: row.try_get(1)?,
        wait: times.wait(&state, &channel),
        channel,
        state,
        received_at: row.try_get(4)?,
        attempts: row.try_get(5)?,
        problem: row.try_get(6)?,
    })
}

/// Index: `item_due`, in its order. A row that is skipped costs only a step in the index.
const WAITING: &str = concat!(
    select_rows!(),
    "WHERE item.id IN (
        SELECT id FROM item WHERE channel = $2 AND state = 'waiting' AND owner IS NULL
        ORDER BY due_at, id LIMIT $3 OFFSET $4
    ) ORDER BY due_at, item.id"
);
/// Index: `item_dead`, backwards.
const DEAD: &str = concat!(
    select_rows!(),
    "WHERE item.id IN (SELECT id FROM item WHERE channel = $2 AND state = 'dead' ORDER BY id DESC LIMIT $3 OFFSET $4)
    ORDER BY item.id DESC"
);
/// Index: the primary key.
const ONE: &str = concat!(select_rows!(), "WHERE item.id = $2 LIMIT $3 OFFSET $4");

pub(super) async fn rows(
    connection: &Connection<()>,
    timings: &Timings,
    which: &Which,
    most: u32,
    skip: u32,
) -> Result<Vec<Row>, Trouble> {
    let (most, skip) = (i64::from(most), i64::from(skip));
    let query = async {
        let rows = match which {
            Which::Waiting(channel) => connection.client.query(WAITING, &[&CLASS, channel, &most, &skip]).await,
            Which::Dead(channel) => connection.client.query(DEAD, &[&CLASS, channel, &most, &skip]).await,
            Which::One(id) => connection.client.query(ONE, &[&CLASS, id, &most, &skip]).await,
        };
        rows.and_then(|rows| rows.iter().map(row).collect()).map_err(away)
    };
    within(timings.statement, query).await
}

/// Index: the primary keys.
const LIST: &str = concat!(select_rows!(), "WHERE item.id > $2 ORDER BY item.id LIMIT 1000");
/// Index: `item_dead`, so that the other rows cost nothing.
const LIST_DEAD: &str = concat!(
    select_rows!(),
    "WHERE item.id IN (SELECT id FROM item WHERE state = 'dead' AND id > $2 ORDER BY id LIMIT 1000) ORDER BY item.id"
);

pub(super) async fn list(client: &Client, dead: bool, after: i64) -> Result<Vec<Row>, Error> {
    client.query(if dead { LIST_DEAD } else { LIST }, &[&CLASS, &after]).await?.iter().map(row).collect()
}

const BODY: &str = "SELECT body FROM record WHERE id = (SELECT record FROM item WHERE id = $1)";

pub(super) async fn body(client: &Client, id: i64) -> Result<Option<Vec<u8>>, Error> {
    client.query_opt(BODY, &[&id]).await?.map(|row| row.try_get(0)).transpose()
}
