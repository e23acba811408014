//! The session of a receiver that works: its advisory lock, its claims, and what it notes.
//!
//! The lock and all claims are on one connection. If the connection is lost, the server releases the lock, and the
//! others take the rows. So this receiver stops what it is doing and starts over under a new number.

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement, Transaction};

use super::connection::{CLASS, Connection, Statements, away, within};
use super::{Address, check_version};
use crate::channel::Channel;
use crate::store::{CUT_OFF, Claim, Outcome, Plan, Session, Trouble, attempts, lane_name, millis};

/// No join may read a whole table: `settings` says why. Without `idle_session_timeout`, the session of a machine that
/// is frozen or cut off would keep its lock.
const SET_LIMITS: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET idle_session_timeout = ";
/// A number is never used twice. Nobody asks for the lock of a number that owns no row yet.
const ENTER: &str =
    "SELECT owner, pg_advisory_lock($1, owner)::text FROM (SELECT nextval('owner_number')::int) AS new (owner)";
/// Shows `receiver list` which lanes are served: a lock for each, shared by all receivers. The numbers are negative,
/// unlike those of owners. Two names with one hash would only make `list` less exact.
const SERVE: &str = "SELECT count(pg_advisory_lock_shared($1, -1 - (hashtext(lane) & 1073741823))::text)
    FROM unnest($2::text[]) AS lanes (lane)";
/// All receivers should have the same pace. If they do not, the last one that starts sets it.
const SET_PACE: &str = "INSERT INTO channel (name, gap) VALUES ($1, $2::bigint * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET gap = excluded.gap WHERE channel.gap <> excluded.gap";

/// Index: the primary key. Race: an attempt that belongs to another owner by now, or to a later attempt, changes
/// nothing. Both are compared, because `retry` starts the attempts again.
const NOTE: &str = "
    UPDATE item SET owner = NULL, state = ended.state, problem = ended.problem,
        due_at = now() + ended.pause * interval '1 ms', pause = ended.pause * interval '1 ms'
    FROM unnest($2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::text[])
        AS ended (id, attempt, state, pause, problem)
    WHERE item.id = ended.id AND item.owner = $1 AND item.attempts = ended.attempt";
/// Race: only the holder sets the time of the next message, so an answer that comes late changes nothing.
const NOTE_PACE: &str = "
    UPDATE channel SET holder = NULL, next_at = now() + greatest(gap, $3::bigint * interval '1 ms'),
        pause = greatest(gap, $3::bigint * interval '1 ms')
    WHERE name = $2 AND holder = $1";

/// Index: `item_due`, in its order. Race: `SKIP LOCKED` leaves a row that another receiver is taking to that one, and
/// the locked rows are compared again as they are now. A message also takes the lease of its channel, which only one
/// receiver can lock. Without a row that is due, the channel is not locked, because even a lock would write to the
/// disk.
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

/// Puts back the rows of owners whose lock is free, and frees their channels. The message of the holder may just have
/// arrived, so the next one waits for the whole gap.
///
/// Index: `item_owner`. Race: this transaction holds the lock of each dead owner, so of two receivers that look at the
/// same time, one puts back. The owner itself cannot write any more: its lock is free only after its last statement.
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
            for (channel, gap) in &plan.channels {
                connection.client.execute(SET_PACE, &[&channel.name(), &millis(*gap)]).await.map_err(away)?;
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
        let free = i64::try_from(free).unwrap_or(i64::MAX);
        let rows = transaction.query(&prepared.claim, &[&self.number, &lane_name(lane), &free]).await?;
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
        // Taken out: if anything ends this early, the connection is closed.
        let mut connection = kept.take().ok_or_else(|| lost("it was closed before".to_owned()))?;
        let limit = self.plan.timings.statement;
        match timeout(limit, self.exchange(&mut connection, lane, ended, free)).await {
            Ok(Ok(claims)) => {
                *kept = Some(connection);
                Ok(claims)
            }
            Ok(Err(error)) => {
                let only_refused =
                    error.as_db_error().is_some_and(|error| error.parsed_severity() == Some(Severity::Error));
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
        // On this connection the own lock can be taken again, so this puts back the own rows too.
        let Connection { client, prepared, .. } = &connection;
        within(self.plan.timings.statement, take_back(client, &prepared.take_back, &self.plan)).await
    }
}

pub(super) async fn take_back(client: &Client, statement: &Statement, plan: &Plan) -> Result<(), Trouble> {
    let [work, channel] = [&plan.timings.work_pauses, &plan.timings.channel_pauses].map(|pauses| attempts(pauses));
    client.execute(statement, &[&CLASS, &CUT_OFF, &work, &channel]).await.map(drop).map_err(away)
}
