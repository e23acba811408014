//! What operators look at. Each look has a connection of its own and takes no lock, so that no delivery waits for it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Result};
use tokio::task::spawn_blocking;

use super::process;
use super::statements::now;
use crate::store::wait::Times;
use crate::store::{Row, Standing, Trouble, Which};

/// How many steps of a statement pass between two checks of the time limit.
const STEPS: i32 = 10_000;

/// Reads something, and gives up after a while: the log of the database grows as long as a read lasts.
pub(super) async fn look<T: Send + 'static>(
    path: PathBuf,
    limit: Duration,
    read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Trouble> {
    let look = move || {
        let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(limit)?;
        let end = Instant::now() + limit;
        connection.progress_handler(STEPS, Some(move || Instant::now() > end))?;
        read(&connection)
    };
    let ended = |_| Trouble::Away("the thread that reads has panicked".to_owned());
    spawn_blocking(look).await.map_err(ended)?.map_err(|error| Trouble::Away(error.to_string()))
}

/// Index: `item_due`, `item_owner` and `item_dead`, so that the rows that are done cost nothing. A row that was
/// received later has a larger number, so the row with the smallest number is the oldest.
const OVERVIEW: &str = concat!(
    "WITH open (channel, waiting, in_work, dead, oldest) AS (
        SELECT channel, count(*), 0, 0, min(id) FROM item WHERE state = 'waiting' AND owner IS NULL GROUP BY channel
        UNION ALL SELECT channel, 0, count(*), 0, min(id) FROM item WHERE owner IS NOT NULL GROUP BY channel
        UNION ALL SELECT channel, 0, 0, count(*), NULL FROM item WHERE state = 'dead' GROUP BY channel
    ), sums AS (
        SELECT channel, sum(waiting), sum(in_work), sum(dead), min(oldest) AS oldest FROM open GROUP BY channel
    )
    SELECT sums.*, (
        SELECT ",
    now!(),
    " - received_at * 1000 FROM record WHERE id = (SELECT record FROM item WHERE item.id = sums.oldest))
    FROM sums"
);

pub(super) fn overview(connection: &Connection) -> Result<Vec<Standing>> {
    let mut overview = connection.prepare(OVERVIEW)?;
    let standings = overview.query_map([], |row| {
        let age: Option<i64> = row.get(5)?;
        Ok(Standing {
            channel: row.get(0)?,
            waiting: row.get(1)?,
            in_work: row.get(2)?,
            dead: row.get(3)?,
            oldest: age.map(|age| Duration::from_millis(age.try_into().unwrap_or(0))),
        })
    })?;
    standings.collect()
}

/// The start of each statement that lists rows. `row` reads the columns.
macro_rules! select_rows {
    () => {
        concat!(
            "SELECT item.id, event, channel, iif(owner IS NULL, state, 'in work'),
                strftime('%Y-%m-%dT%H:%M:%SZ', received_at, 'unixepoch'), attempts, problem,
                due_at, next_at, ifnull(channel.pause > gap, FALSE), holder IS NOT NULL, ",
            now!(),
            " FROM item JOIN record ON record.id = item.record LEFT JOIN channel ON channel.name = item.channel "
        )
    };
}

/// The lanes of all receivers, each with the process of its receiver.
const SERVED: &str = "SELECT process, value FROM receiver, json_each(lanes)";

/// The lanes of the receivers that run. A receiver of which the system cannot tell counts as running.
fn served(connection: &Connection) -> Result<HashSet<String>> {
    let mut lanes = connection.prepare_cached(SERVED)?;
    let lanes = lanes.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut served = HashSet::new();
    for lane in lanes {
        let (process, lane): (Option<String>, String) = lane?;
        if !process.as_deref().is_some_and(process::has_ended) {
            served.insert(lane);
        }
    }
    Ok(served)
}

/// Reads the columns of `select_rows!`.
fn row(row: &rusqlite::Row<'_>, served: &HashSet<String>) -> Result<Row> {
    let (channel, state): (String, String) = (row.get(2)?, row.get(3)?);
    let (due_at, next_at, now) = (row.get(7)?, row.get(8)?, row.get(11)?);
    let (asked, held, served) = (row.get(9)?, row.get(10)?, served.contains(&channel));
    let times = Times { now, due_at, next_at, asked, held, served };
    Ok(Row {
        id: row.get(0)?,
        event: row.get(1)?,
        wait: times.wait(&state, &channel),
        channel,
        state,
        received_at: row.get(4)?,
        attempts: row.get(5)?,
        problem: row.get(6)?,
    })
}

/// Index: `item_due`, in its order. A row that is skipped costs only a step in the index.
const WAITING: &str = concat!(
    select_rows!(),
    "WHERE item.id IN (
        SELECT id FROM item WHERE channel = ?1 AND state = 'waiting' AND owner IS NULL
        ORDER BY due_at, id LIMIT ?2 OFFSET ?3
    ) ORDER BY due_at, item.id"
);
/// Index: `item_dead`, backwards.
const DEAD: &str = concat!(
    select_rows!(),
    "WHERE item.id IN (SELECT id FROM item WHERE channel = ?1 AND state = 'dead' ORDER BY id DESC LIMIT ?2 OFFSET ?3)
    ORDER BY item.id DESC"
);
/// Index: the primary key.
const ONE: &str = concat!(select_rows!(), "WHERE item.id = ?1 LIMIT ?2 OFFSET ?3");

pub(super) fn rows(connection: &Connection, which: &Which, most: u32, skip: u32) -> Result<Vec<Row>> {
    let served = served(connection)?;
    let row = |columns: &rusqlite::Row<'_>| row(columns, &served);
    match which {
        Which::Waiting(channel) => connection.prepare(WAITING)?.query_map((channel, most, skip), row)?.collect(),
        Which::Dead(channel) => connection.prepare(DEAD)?.query_map((channel, most, skip), row)?.collect(),
        Which::One(id) => connection.prepare(ONE)?.query_map((id, most, skip), row)?.collect(),
    }
}

/// Index: the primary keys. Each list has at most 1,000 rows, because the log of the database grows as long as a read
/// lasts.
const LIST: &str = concat!(select_rows!(), "WHERE item.id > ?1 ORDER BY item.id LIMIT 1000");
/// Index: `item_dead`, so that the other rows cost nothing.
const LIST_DEAD: &str = concat!(
    select_rows!(),
    "WHERE item.id IN (SELECT id FROM item WHERE state = 'dead' AND id > ?1 ORDER BY id LIMIT 1000) ORDER BY item.id"
);

pub(super) fn list(connection: &Connection, dead: bool, after: i64) -> Result<Vec<Row>> {
    let served = served(connection)?;
    let mut list = connection.prepare(if dead { LIST_DEAD } else { LIST })?;
    list.query_map([after], |columns| row(columns, &served))?.collect()
}

const BODY: &str = "SELECT body FROM record WHERE id = (SELECT record FROM item WHERE id = ?1)";

pub(super) fn body(connection: &Connection, id: i64) -> Result<Option<Vec<u8>>> {
    connection.query_row(BODY, [id], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::{Connection, params_from_iter};

    use super::super::statements::{CLAIM, IS_HELD, IS_PUT_BACK, NOTE, REPLACE_STALE, RETRY_DEAD, RETRY_ONE};
    use super::{DEAD, LIST_DEAD, ONE, OVERVIEW, WAITING, look};

    #[test]
    fn a_read_that_takes_too_long_is_given_up() {
        const LONG: &str =
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000000)
            SELECT count(*) FROM number";
        let file = tempfile::NamedTempFile::new().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = |connection: &Connection| connection.query_row(LONG, [], |row| row.get::<_, i64>(0));
        let looked = runtime.block_on(look(file.path().to_owned(), Duration::from_millis(1), read));
        assert_eq!(looked.unwrap_err().to_string(), "interrupted");
    }

    #[test]
    fn no_statement_reads_the_rows_that_are_done() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../sqlite.sql")).unwrap();
        let look = [OVERVIEW, WAITING, DEAD, ONE, LIST_DEAD, RETRY_ONE, RETRY_DEAD];
        let deliver = [IS_HELD, IS_PUT_BACK, REPLACE_STALE, CLAIM, NOTE];
        for statement in look.into_iter().chain(deliver) {
            let mut explain = database.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let parameters = vec![1; explain.parameter_count()];
            let steps = explain.query_map(params_from_iter(parameters), |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<_> =
                steps.map(Result::unwrap).filter(|step| step.contains(" item") || step.contains(" record")).collect();
            assert!(!steps.is_empty());
            for step in steps {
                let indexes = [
                    "INTEGER PRIMARY KEY",
                    "INDEX item_due",
                    "INDEX item_owner",
                    "INDEX item_dead",
                    "INDEX item_record",
                    "INDEX sqlite_autoindex_record_1 (key=?)",
                ];
                assert!(indexes.iter().any(|index| step.contains(index)), "{step}: {statement}");
            }
        }
    }
}
