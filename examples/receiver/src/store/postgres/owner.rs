//! The session of a receiver that works: its advisory lock, its claims, and what it notes.
//!
//! The lock and all claims are on one connection. If the connection is lost, PostgreSQL releases the lock, and other
//! receivers take the rows. So this receiver stops all attempts and starts over under a new number.

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement, Transaction};

use super::connection::{CLASS, Connection, Statements, away, only_refused, within};
use super::{Address, check_version};
use crate::channel::Channel;
use crate::store::{CUT_OFF, Claim, Outcome, Plan, Session, Trouble, attempts, lane_name, millis};

/// No join may read a whole table: `settings` says why. Without `idle_session_timeout`, the session of a receiver that
/// is frozen or cut off would keep its lock.
const SET_LIMITS: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET idle_session_timeout = ";
/// Takes a new owner number and its lock. A number is never used twice. There is no race, because other receivers ask
/// only for the locks of numbers that own rows.
const ENTER: &str =
    "SELECT owner, pg_advisory_lock($1, owner)::text FROM (SELECT nextval('owner_number')::int) AS new (owner)";
/// Shows `receiver list` which lanes are served: each lane has a lock that all its receivers share. The numbers are
/// negative, unlike those of owners. If two names had the same hash, only the texts of `list` would be less exact.
const SERVE: &str = "SELECT count(pg_advisory_lock_shared($1, -1 - (hashtext(lane) & 1073741823))::text)
    FROM unnest($2::text[]) AS lanes (lane)";
/// All receivers should have the same pace. If they do not, the last one that starts sets it.
const SET_PACE: &str = "INSERT INTO channel (name, gap) VALUES ($1, $2::bigint * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET gap = excluded.gap WHERE channel.gap <> excluded.gap";

/// Index: the primary key. Race: if the row has another owner by now, or if a later attempt has begun, the outcome of
/// an attempt changes nothing. Owner and attempt are both compared, because `retry` counts the attempts from 0 again.
const NOTE: &str = "
    UPDATE item SET owner = NULL, state = ended.state, problem = ended.problem,
        due_at = now() + ended.pause * interval '1 ms', pause = ended.pause * interval '1 ms'
    FROM unnest($2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::text[])
        AS ended (id, attempt, state, pause, problem)
    WHERE item.id = ended.id AND item.owner = $1 AND item.attempts = ended.attempt";
/// Race: only the holder notes the end of a message. So an answer that comes after the channel was freed changes
/// nothing.
const NOTE_PACE: &str = "
    UPDATE channel SET holder = NULL, next_at = now() + greatest(gap, $3::bigint * interval '1 ms'),
        pause = greatest(gap, $3::bigint * interval '1 ms')
    WHERE name = $2 AND holder = $1";

/// Index: `item_due`, in its order. Race: `SKIP LOCKED` skips a row that another receiver is just taking. PostgreSQL
/// checks the conditions again for each row that it locks. A claim for a message also locks the row of the channel,
/// and only one receiver can hold this lock. If no row is due, the channel is not locked, because even a lock would
/// write to the disk.
const CLAIM: &str = "
    WITH free AS (
        SELECT FROM channel WHERE name = $2 AND holder IS NULL AND next_at <= now() AND EXISTS (
            SELECT FROM item WHERE channel = $2 AND state = 'waiting' AND owner IS NULL AND due_at <= now())
        FOR UPDATE SKIP LOCKED
    ), next AS (
        SELECT id FROM item WHERE channel = $2 AND state = 'waiting' AND owner IS NULL AND due_at <= now()
        ORDER BY due_at, id
        LIMIT CASE WHEN $2 = '' THEN $3::bigint WHEN EXISTS (SELECT FROM free) THEN 1 ELSE 0 END
        FOR UPDATE SKIP LOCKED
    ), held AS (
        UPDATE channel SET holder = $1 WHERE name = $2 AND EXISTS (SELECT FROM next)
    )
    UPDATE item SET owner = $1, attempts = attempts + 1 FROM next WHERE item.id = next.id
    RETURNING item.id, item.attempts, (SELECT body FROM record WHERE record.id = item.record)";

/// Puts the rows of owners whose lock is free back to waiting, and frees their channels. The message of the holder may
/// just have arrived, so the next message waits for the whole gap.
///
/// Index: `item_owner`. Race: this transaction holds the lock of each dead owner, so if two receivers look at the same
/// time, only one of them puts the rows back. The owner itself cannot write any more: its lock is free only after its
/// last statement.
pub(super) const TAKE_BACK: &str = "
    WITH owners AS MATERIALIZED (
        SELECT owner FROM item WHERE owner IS NOT NULL UNION SELECT holder FROM channel WHERE holder IS NOT NULL
    ), dead AS MATERIALIZED (
        SELECT owner FROM owners WHERE pg_try_advisory_xact_lock($1, owner)
    ), freed AS (
        UPDATE channel SET holder = NULL, next_at = now() + gap, pause = gap WHERE holder IN (SELECT owner FROM dead)
    )
    UPDATE item SET owner = NULL, problem = $2,
        state = CASE WHEN attempts >= CASE WHEN channel = '' THEN $3::int ELSE $4 END THEN 'dead' ELSE 'waiting' END
    FROM dead WHERE item.owner = dead.owner";

struct Prepared {
    note: Statement,
    note_pace: Statement,
    claim: Statement,
    take_back: Statement,
}

impl Statements for Prepared {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            note: client.prepare(NOTE).await?,
            note_pace: client.prepare(NOTE_PACE).await?,
            claim: client.prepare(CLAIM).await?,
            take_back: client.prepare(TAKE_BACK).await?,
        })
    }
}

pub(super) struct Owner {
    number: i32,
    plan: Plan,
    /// `None` once the connection is lost.
    connection: Mutex<Option<Connection<Prepared>>>,
}

impl Owner {
    pub(super) async fn enter(address: &Address, plan: &Plan) -> Result<Self, Trouble> {
        let connection: Connection<Prepared> = Connection::open(address, &plan.timings).await?;
        let enter = async {
            check_version(&connection.client).await?;
            let idle = millis(plan.timings.idle);
            connection.client.batch_execute(&format!("{SET_LIMITS}{idle}")).await.map_err(away)?;
            for channel in &plan.channels {
                connection.client.execute(SET_PACE, &[&channel.name(), &millis(channel.pace)]).await.map_err(away)?;
            }
            connection.client.query_one(SERVE, &[&CLASS, &plan.lanes()]).await.map_err(away)?;
            let entered = connection.client.query_one(ENTER, &[&CLASS]).await.map_err(away)?;
            entered.try_get(0).map_err(away)
        };
        let number = within(plan.timings.statement, enter).await?;
        Ok(Self { number, plan: plan.clone(), connection: Mutex::new(Some(connection)) })
    }

    async fn exchange(
        &self,
        Connection { client, prepared, .. }: &mut Connection<Prepared>,
        lane: Option<Channel>,
        ended: &[Outcome],
        free: usize,
    ) -> Result<Vec<Claim>, Error> {
        let transaction = client.transaction().await?;
        if !ended.is_empty() {
            self.note(&transaction, prepared, lane, ended).await?;
        }
        let rows = if free == 0 {
            Vec::new()
        } else {
            let free = i64::try_from(free).unwrap_or(i64::MAX);
            transaction.query(&prepared.claim, &[&self.number, &lane_name(lane), &free]).await?
        };
        transaction.commit().await?;
        let claim = |row: tokio_postgres::Row| {
            Ok(Claim { id: row.try_get(0)?, attempt: row.try_get(1)?, body: row.try_get(2)? })
        };
        rows.into_iter().map(claim).collect()
    }

    async fn note(
        &self,
        transaction: &Transaction<'_>,
        prepared: &Prepared,
        lane: Option<Channel>,
        ended: &[Outcome],
    ) -> Result<(), Error> {
        let verdicts: Vec<_> = ended.iter().map(|outcome| self.plan.judge(lane, outcome)).collect();
        let ids: Vec<i64> = ended.iter().map(|outcome| outcome.id).collect();
        let attempts: Vec<i32> = ended.iter().map(|outcome| outcome.attempt).collect();
        let states: Vec<&str> = verdicts.iter().map(|verdict| verdict.state).collect();
        let pauses: Vec<i64> = verdicts.iter().map(|verdict| verdict.pause).collect();
        let problem = |outcome: &Outcome| outcome.result.as_ref().err().map(|failure| failure.problem.clone());
        let problems: Vec<Option<String>> = ended.iter().map(problem).collect();
        let parameters: [&(dyn ToSql + Sync); 6] = [&self.number, &ids, &attempts, &states, &pauses, &problems];
        transaction.execute(&prepared.note, &parameters).await?;
        if lane.is_some() {
            let pause = verdicts.iter().map(|verdict| verdict.channel_pause).max().unwrap_or(0);
            transaction.execute(&prepared.note_pace, &[&self.number, &lane_name(lane), &pause]).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Session for Owner {
    async fn exchange(&self, lane: Option<Channel>, ended: &[Outcome], free: usize) -> Result<Vec<Claim>, Trouble> {
        let mut kept = self.connection.lock().await;
        let lost = |why: String| Trouble::Lost(format!("the session with the database is lost: {why}"));
        // The connection is taken out. If this function ends early, the connection is dropped and so closed.
        let mut connection = kept.take().ok_or_else(|| lost("it was closed before".to_owned()))?;
        let limit = self.plan.timings.statement;
        match timeout(limit, self.exchange(&mut connection, lane, ended, free)).await {
            Ok(Ok(claims)) => {
                *kept = Some(connection);
                Ok(claims)
            }
            Ok(Err(error)) => {
                let only_refused = only_refused(&error);
                match away(error) {
                    Trouble::Away(why) if !only_refused => Err(lost(why)),
                    trouble => {
                        *kept = Some(connection);
                        Err(trouble)
                    }
                }
            }
            Err(_) => Err(lost(format!("no answer within {limit:?}"))),
        }
    }

    async fn leave(&self) -> Result<(), Trouble> {
        let mut kept = self.connection.lock().await;
        let Some(connection) = kept.take() else { return Ok(()) };
        // A session can take its own lock again. So `take_back` on this connection also puts back the rows of this
        // owner.
        let Connection { client, prepared, .. } = &connection;
        within(self.plan.timings.statement, take_back(client, &prepared.take_back, &self.plan)).await
    }
}

pub(super) async fn take_back(client: &Client, statement: &Statement, plan: &Plan) -> Result<(), Trouble> {
    let [work, channel] = [&plan.timings.work_pauses, &plan.timings.channel_pauses].map(|pauses| attempts(pauses));
    client.execute(statement, &[&CLASS, &CUT_OFF, &work, &channel]).await.map(drop).map_err(away)
}
