//! Checking that a queue's tables agree with each other.

use diesel::connection::DefaultLoadingMode;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::body;
use super::chunks::Holder;
use super::desk;
use super::ledger::{self, QueueRow, signed, unsigned};
use super::trouble::Trouble;
use crate::queue::{Check, DeadLetter, Finding, Findings, Flaw, QueueName, imbalances};
use crate::sqlite::{query, statement};
use rules::{PLACES, RULES, Rule};

mod rules;

/// Bodies without a range that one check puts back; the next takes the rest.
const BODIES_MAX: u32 = 1_000;

/// Checks one queue. Within a transaction: one that may write when it shall fix.
pub(super) fn run(db: &mut SqliteConnection, name: &QueueName, check: Check) -> Result<Vec<Finding>, Trouble> {
    let mut findings = Findings::default();
    let is_damaged = file(db, &mut findings)?;
    let Some(queue) = ledger::find(db, name)? else { return Ok(findings.sorted()) };
    // In a damaged file every repair may make it worse: copy it, recover it, then check again.
    let check = if is_damaged { Check::Look } else { check };
    for rule in RULES {
        apply(db, queue, rule, check, &mut findings)?;
    }
    stray_bodies(db, queue, check, &mut findings)?;
    apply(db, queue, &PLACES, check, &mut findings)?;
    letters(db, queue, &mut findings)?;
    balance(db, queue, check, &mut findings)?;
    Ok(findings.sorted())
}

/// SQLite's own checks, of the whole file. Returns whether it is damaged.
fn file(db: &mut SqliteConnection, findings: &mut Findings) -> Result<bool, Trouble> {
    let said = query::<Text>("PRAGMA integrity_check(10)").load::<String>(db)?;
    let problems: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    let dangling = query::<Text>("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1000").load::<String>(db)?;
    for (flaw, lines) in [(Flaw::Damaged, &problems), (Flaw::DanglingRow, &dangling)] {
        let example = lines.first().cloned().unwrap_or_default();
        findings.add(Finding { flaw, found: unsigned(signed(lines.len())), tasks: 0, fixed: 0, example });
    }
    Ok(!problems.is_empty())
}

fn apply(
    db: &mut SqliteConnection,
    queue: QueueRow,
    rule: &Rule,
    check: Check,
    findings: &mut Findings,
) -> QueryResult<()> {
    let (found, tasks, example) = query::<(BigInt, BigInt, Text)>(rule.find)
        .bind(queue.id)
        .get_result::<(i64, i64, String)>(db)
        .optional()?
        .unwrap_or_default();
    let is_fixed = check == Check::Fix && !rule.fix.is_empty() && 0 < found;
    if is_fixed {
        for step in rule.fix {
            statement(step).bind(queue.id).execute(db)?;
        }
    }
    let found = unsigned(found);
    findings.add(Finding {
        flaw: rule.flaw,
        found,
        tasks: unsigned(tasks),
        fixed: if is_fixed { found } else { 0 },
        example,
    });
    Ok(())
}

/// Bodies that no range lies in. Their tasks are put back where the queue is the file's only one: a task that had ended
/// is superseded by itself when it comes again, a task that had not would be lost.
fn stray_bodies(
    db: &mut SqliteConnection,
    queue: QueueRow,
    check: Check,
    findings: &mut Findings,
) -> Result<(), Trouble> {
    let queues = query::<BigInt>("SELECT count(*) FROM queue_ledger").get_result::<i64>(db)?;
    let bodies = query::<(BigInt, Binary)>(
        "SELECT id, body FROM queue_body WHERE id NOT IN (SELECT body FROM queue_chunk) ORDER BY id LIMIT ?",
    )
    .bind(BODIES_MAX)
    .load::<(i64, Vec<u8>)>(db)?;
    for (id, bytes) in bodies {
        let tasks = tasks_in(&bytes);
        let is_fixed = check == Check::Fix && queues == 1 && 0 < tasks;
        if is_fixed {
            put_back(db, queue, id, tasks, bytes.len())?;
        }
        findings.add(Finding {
            flaw: Flaw::StrayTasks,
            found: 1,
            tasks,
            fixed: u64::from(is_fixed),
            example: format!("body {id}"),
        });
    }
    Ok(())
}

/// How many tasks a body holds; 0 when it cannot be read to its end.
fn tasks_in(mut bytes: &[u8]) -> u64 {
    let mut tasks = 0;
    while !bytes.is_empty() {
        let Ok((_, rest)) = body::split_first(bytes) else { return 0 };
        tasks += 1;
        bytes = rest;
    }
    tasks
}

fn put_back(db: &mut SqliteConnection, queue: QueueRow, body: i64, tasks: u64, bytes: usize) -> QueryResult<()> {
    let batch = query::<BigInt>(
        "INSERT INTO queue_batch (queue, due_at, since, tasks, deliveries) VALUES (?, 0, 0, ?, 1) RETURNING id",
    )
    .bind(queue.id)
    .bind(tasks)
    .get_result::<i64>(db)?;
    let holder = Holder { queue: queue.id, batch };
    statement("INSERT INTO queue_chunk (queue, batch, body, start, tasks, bytes) VALUES (?, ?, ?, 0, ?, ?)")
        .bind(holder.queue)
        .bind(holder.batch)
        .bind(body)
        .bind(tasks)
        .bind(bytes)
        .execute(db)
        .map(drop)
}

/// Dead letters that cannot be read. They are left: a person may still read what is in them.
fn letters(db: &mut SqliteConnection, queue: QueueRow, findings: &mut Findings) -> QueryResult<()> {
    let rows = query::<(Text, Text)>("SELECT id, letter FROM queue_dead WHERE queue = ?")
        .bind(queue.id)
        .load_iter::<(String, String), DefaultLoadingMode>(db)?;
    for row in rows {
        let (id, letter) = row?;
        if serde_json::from_str::<DeadLetter>(&letter).is_err() {
            findings.add(Finding { flaw: Flaw::UnreadableLetter, found: 1, tasks: 1, fixed: 0, example: id });
        }
    }
    Ok(())
}

/// What is out of balance after all that.
fn balance(db: &mut SqliteConnection, queue: QueueRow, check: Check, findings: &mut Findings) -> QueryResult<()> {
    for (flaw, difference) in imbalances(&desk::counts(db, queue.id)?) {
        let is_fixed = check == Check::Fix;
        if is_fixed {
            let kind: Box<str> = flaw.name().into();
            ledger::count_reasons(db, queue.id, "written_off", [(&kind, &difference)])?;
        }
        let fixed = if is_fixed { difference } else { 0 };
        findings.add(Finding { flaw, found: difference, tasks: 0, fixed, example: "tidemill audit".to_owned() });
    }
    Ok(())
}
