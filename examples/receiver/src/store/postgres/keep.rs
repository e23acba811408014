//! Keeps deliveries: several committers take the deliveries that wait. Each committer has a connection, and puts a
//! group of deliveries into one statement.

use std::collections::HashMap;
use std::iter;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use super::Address;
use super::connection::{Connection, Kept, Statements, away, only_refused, within};
use crate::delivery::{Arrival, Entry, rehearsal};
use crate::store::{MAX_GROUP, Plan, Trouble};

/// While one committer waits for the disk, the next one collects.
const COMMITTERS: usize = 4;
/// How many bytes of bodies share a commit, apart from the last delivery of a group.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Keeps a group of deliveries: each record with a new key, and a row of the record for each lane. Returns how many
/// records of each delivery are new.
///
/// Index: the unique one on `key`, and `item_record`. For `NOT EXISTS`, or for a join instead of `ANY`, PostgreSQL
/// could choose to read the whole inbox. Race: two groups can hold the same keys. Both insert in the order of the keys,
/// so they cannot deadlock. The second group waits, and then finds the records of the first group. The numbers are
/// taken beforehand, because `RETURNING` cannot say from which delivery a record came.
///
/// A stale record is left out if the inbox holds its item. A fresh record deletes the stale dead letter of its item.
/// If `retry` has put this dead letter back, the fresh record is left out. Race: if a stale record and a fresh one
/// come at the same time, both are kept, and only the fresh one is worked on. If this statement and a `retry` want the
/// same dead letters, one waits for the other. In the case of a deadlock, the deliveries of the group are tried one by
/// one.
const KEEP: &str = "
    WITH arrived AS MATERIALIZED (
        SELECT nextval('record_id') AS id, delivery, key, event, problem, body, fresh_key, place
        FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bytea[], $7::text[])
            WITH ORDINALITY AS arrived (delivery, key, event, problem, body, fresh_key, place)
        WHERE CASE WHEN fresh_key IS NULL THEN (
                SELECT count(*) FROM record JOIN item ON item.record = record.id
                WHERE record.key = 'stale:' || arrived.key AND state <> 'dead') = 0
            ELSE (SELECT count(*) FROM record WHERE record.key = fresh_key) = 0 END
    ), kept AS (
        INSERT INTO record (id, key, event, body) SELECT id, key, event, body FROM arrived ORDER BY key, place
        ON CONFLICT (key) DO NOTHING RETURNING id
    ), rows AS (
        INSERT INTO item (record, channel, state, problem)
        SELECT id, lane, CASE WHEN problem IS NULL THEN 'waiting' ELSE 'dead' END, problem
        FROM kept JOIN arrived USING (id) CROSS JOIN unnest($6::text[]) WITH ORDINALITY AS lanes (lane, lane_place)
        WHERE lane = '' OR problem IS NULL OR fresh_key IS NOT NULL
        ORDER BY place, lane_place
    ), replaced AS (
        DELETE FROM record WHERE key = ANY (ARRAY(
            SELECT 'stale:' || key FROM kept JOIN arrived USING (id) WHERE fresh_key IS NULL)) RETURNING id
    ), replaced_rows AS (
        DELETE FROM item WHERE record = ANY (ARRAY(SELECT id FROM replaced))
    )
    SELECT delivery, count(*) FROM kept JOIN arrived USING (id) GROUP BY delivery";
const REHEARSE: &str = "BEGIN; SAVEPOINT rehearsal";
/// Takes the rehearsal back, and writes to the disk. Nothing reads the value.
const TAKE_BACK_REHEARSAL: &str = "ROLLBACK TO rehearsal; UPDATE version SET probed_at = now(); COMMIT";

pub(super) struct Job {
    arrival: Arrival,
    /// Whether this is a rehearsal for a health check, which is taken back.
    probes: bool,
    answer: oneshot::Sender<Result<usize, Trouble>>,
}

/// Hands a delivery to the committers.
pub(super) async fn keep(jobs: &mpsc::Sender<Job>, arrival: Arrival) -> Result<usize, Trouble> {
    hand_over(jobs, arrival, false).await
}

/// Lets a committer keep a made-up delivery and take it back.
pub(super) async fn probe(jobs: &mpsc::Sender<Job>) -> Result<(), Trouble> {
    hand_over(jobs, rehearsal(), true).await.map(drop)
}

async fn hand_over(jobs: &mpsc::Sender<Job>, arrival: Arrival, probes: bool) -> Result<usize, Trouble> {
    let (answer, answered) = oneshot::channel();
    let ended = || Trouble::Away("the committers have ended".to_owned());
    jobs.send(Job { arrival, probes, answer }).await.map_err(|_| ended())?;
    answered.await.map_err(|_| ended())?
}

/// Starts the committers. They end when the sender is dropped, because then nobody waits for an answer.
pub(super) fn start(address: &Address, plan: &Plan) -> mpsc::Sender<Job> {
    let (jobs, waiting) = mpsc::channel(MAX_GROUP);
    tokio::spawn(hand_out(waiting, address.clone(), plan.clone()));
    jobs
}

/// Gives each group to the committer that was idle last. So a receiver with few deliveries has one connection for them.
async fn hand_out(mut waiting: mpsc::Receiver<Job>, address: Address, plan: Plan) {
    let new = || Committer { address: address.clone(), plan: plan.clone(), kept: Kept::default() };
    let (mut idle, mut busy) = (Vec::new(), JoinSet::new());
    while let Some(first) = waiting.recv().await {
        while let Some(ended) = busy.try_join_next() {
            idle.extend(ended);
        }
        if busy.len() == COMMITTERS {
            idle.extend(busy.join_next().await.and_then(Result::ok));
        }
        let group = group(first, &mut waiting);
        let mut committer = idle.pop().unwrap_or_else(new);
        busy.spawn(async move {
            committer.commit(group).await;
            committer
        });
    }
}

/// Takes the deliveries that wait now.
fn group(first: Job, waiting: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = 0;
    let others = iter::from_fn(|| waiting.try_recv().ok());
    // If nobody waits for a delivery any more, it was answered 503 or the client is gone. The platform sends such a
    // delivery again, so it is left out.
    let wanted = iter::once(first).chain(others).filter(|job| !job.answer.is_closed()).take(MAX_GROUP);
    let mut group = Vec::new();
    for job in wanted {
        bytes += job.arrival.bytes();
        group.push(job);
        if bytes > MAX_BYTES {
            break;
        }
    }
    group
}

struct Prepared {
    keep: Statement,
}

impl Statements for Prepared {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self { keep: client.prepare(KEEP).await? })
    }
}

struct Committer {
    address: Address,
    plan: Plan,
    kept: Kept<Prepared>,
}

impl Committer {
    async fn commit(&mut self, group: Vec<Job>) {
        let kept = match self.try_commit(&group).await {
            // PostgreSQL has refused the group. One delivery can be the reason, so each delivery is tried alone.
            Err(Refusal { alone: true, .. }) if group.len() > 1 => {
                for job in group {
                    let kept = self.try_commit(std::slice::from_ref(&job)).await;
                    answer(vec![job], &kept.map_err(|refusal| refusal.trouble));
                }
                return;
            }
            kept => kept.map_err(|refusal| refusal.trouble),
        };
        answer(group, &kept);
    }

    /// Returns the number of new records for each delivery that has new records. If the connection turns out to be
    /// closed, tries again on a new connection. This is safe, because keeping a delivery twice changes nothing.
    async fn try_commit(&mut self, group: &[Job]) -> Result<HashMap<usize, usize>, Refusal> {
        let (limit, mut again) = (self.plan.timings.statement, true);
        loop {
            let opened = self.kept.take(&self.address, &self.plan.timings).await;
            let connection = opened.map_err(|trouble| Refusal { trouble, alone: false })?;
            let (mut refused, mut closed) = (false, false);
            let committed = within(limit, async {
                keep_group(&connection, group, &self.plan).await.map_err(|error| {
                    refused = only_refused(&error);
                    closed = !refused;
                    away(error)
                })
            });
            match committed.await {
                Ok(kept) => {
                    self.kept.give_back(connection);
                    return Ok(kept);
                }
                Err(_) if closed && again => again = false,
                Err(trouble) => {
                    if refused {
                        self.kept.give_back(connection);
                    }
                    return Err(Refusal { trouble, alone: refused });
                }
            }
        }
    }
}

struct Refusal {
    trouble: Trouble,
    /// Whether each delivery of the group should be tried alone.
    alone: bool,
}

async fn keep_group(
    connection: &Connection<Prepared>,
    group: &[Job],
    plan: &Plan,
) -> Result<HashMap<usize, usize>, Error> {
    let Connection { client, prepared, .. } = connection;
    if let Some(probe) = group.iter().find(|job| job.probes) {
        // All three are sent at once, in this order, so the transaction does not wait for this process.
        let (begun, kept, ended) = tokio::join!(
            biased;
            client.batch_execute(REHEARSE),
            keep_jobs(client, &prepared.keep, [(0, probe)].into_iter(), plan),
            client.batch_execute(TAKE_BACK_REHEARSAL),
        );
        let rehearsed = begun.and(kept.map(drop)).and(ended);
        if rehearsed.is_err() {
            client.batch_execute("ROLLBACK").await?;
        }
        rehearsed?;
    }
    let deliveries = (0..).zip(group).filter(|(_, job)| !job.probes);
    keep_jobs(client, &prepared.keep, deliveries, plan).await
}

async fn keep_jobs<'a>(
    client: &Client,
    keep: &Statement,
    jobs: impl Iterator<Item = (i32, &'a Job)>,
    plan: &Plan,
) -> Result<HashMap<usize, usize>, Error> {
    let entries: Vec<(i32, Entry<'_>)> =
        jobs.flat_map(|(number, job)| job.arrival.entries().map(move |entry| (number, entry))).collect();
    if entries.is_empty() {
        return Ok(HashMap::new());
    }
    let deliveries: Vec<i32> = entries.iter().map(|(number, _)| *number).collect();
    let keys: Vec<&str> = entries.iter().map(|(_, entry)| entry.key.as_ref()).collect();
    let events: Vec<Option<String>> = entries.iter().map(|(_, entry)| entry.record.event()).collect();
    let problems: Vec<Option<&str>> = entries.iter().map(|(_, entry)| entry.problem.as_deref()).collect();
    let bodies: Vec<&[u8]> = entries.iter().map(|(_, entry)| entry.record.body.as_slice()).collect();
    let fresh_keys: Vec<Option<&str>> = entries.iter().map(|(_, entry)| entry.fresh_key).collect();
    let lanes = plan.lanes();
    let parameters: [&(dyn ToSql + Sync); 7] = [&deliveries, &keys, &events, &problems, &bodies, &lanes, &fresh_keys];
    let kept = client.query(keep, &parameters).await?;
    let counts = kept.iter().filter_map(|row| {
        let (delivery, count): (i32, i64) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
        Some((delivery.try_into().ok()?, count.try_into().ok()?))
    });
    Ok(counts.collect())
}

fn answer(group: Vec<Job>, kept: &Result<HashMap<usize, usize>, Trouble>) {
    if let Err(trouble) = kept {
        tracing::error!("the inbox cannot be written: {trouble}");
    }
    for (number, job) in group.into_iter().enumerate() {
        let new = match kept {
            Ok(kept) => Ok(kept.get(&number).copied().unwrap_or(0)),
            Err(trouble) => Err(Trouble::Away(trouble.to_string())),
        };
        let _ = job.answer.send(new);
    }
}
