//! The list of a roster's events in the file. Within transactions.

use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, RunQueryDsl};

use super::ledger::{signed, unsigned};
use super::trouble::Trouble;
use crate::broker::shards::GroupName;
use crate::clock::UnixMicros;
use crate::roster::{BadEvent, RosterEvent, RosterNews};
use crate::sqlite::{query, statement};

/// The revision after the last event.
pub(super) fn revision(db: &mut SqliteConnection, group: &GroupName) -> Result<u64, Trouble> {
    let last = query::<BigInt>("SELECT coalesce(max(revision), 0) FROM queue_roster WHERE group_name = ?")
        .bind(group.as_str())
        .get_result::<i64>(db)?;
    Ok(unsigned(last))
}

/// Appends events, and puts old ones together when there are many.
pub(super) fn append(
    db: &mut SqliteConnection,
    group: &GroupName,
    events: &[RosterEvent],
    now: UnixMicros,
) -> Result<u64, Trouble> {
    if RosterEvent::APPEND_MAX < events.len() {
        let most = RosterEvent::APPEND_MAX;
        return Err(Trouble::Refused(format!("{} events in one append; at most {most} go", events.len())));
    }
    let last = revision(db, group)?;
    // Events are one of a kind, and go in together or not at all: one that is here tells of all.
    let Some(first) = events.first() else { return Ok(last) };
    if is_known(db, group, first)? {
        return Ok(last);
    }
    let count = count(db, group)?;
    if RosterEvent::EVENTS_MAX < count + events.len() {
        return Err(Trouble::Unfit {
            problem: format!("the roster has {count} events that cannot be put together"),
            fix: "remove by hand the event that cannot be read; nothing was changed".to_owned(),
        });
    }
    // Revisions rise with the clock, so that a file which was put in place of a lost one never gives one again.
    let first_free = signed(last).saturating_add(1).max(now.0);
    for (event, revision) in events.iter().zip(first_free..) {
        statement("INSERT INTO queue_roster (group_name, revision, id, event) VALUES (?, ?, ?, ?)")
            .bind(group.as_str())
            .bind(revision)
            .bind(&*event.id().to_string())
            .bind(&*event.encode())
            .execute(db)?;
    }
    compact(db, group, now)?;
    revision(db, group)
}

fn count(db: &mut SqliteConnection, group: &GroupName) -> Result<usize, Trouble> {
    let count = query::<BigInt>("SELECT count(*) FROM queue_roster WHERE group_name = ?")
        .bind(group.as_str())
        .get_result::<i64>(db)?;
    Ok(unsigned(count))
}

fn is_known(db: &mut SqliteConnection, group: &GroupName, event: &RosterEvent) -> Result<bool, Trouble> {
    let found = query::<BigInt>("SELECT revision FROM queue_roster WHERE group_name = ? AND id = ?")
        .bind(group.as_str())
        .bind(&*event.id().to_string())
        .get_result::<i64>(db)
        .optional()?;
    Ok(found.is_some())
}

fn compact(db: &mut SqliteConnection, group: &GroupName, now: UnixMicros) -> Result<(), Trouble> {
    let count = count(db, group)?;
    if count <= RosterEvent::COMPACT_ABOVE {
        return Ok(());
    }
    let old = query::<(BigInt, Text)>(
        "SELECT revision, event FROM queue_roster WHERE group_name = ? ORDER BY revision LIMIT ?",
    )
    .bind(group.as_str())
    .bind(count - RosterEvent::KEPT)
    .load::<(i64, String)>(db)?;
    let Some((upto, _)) = old.last() else { return Ok(()) };
    let events: Result<Vec<RosterEvent>, BadEvent> = old.iter().map(|(_, event)| RosterEvent::decode(event)).collect();
    // One that cannot be read keeps the others as they are; whoever reads the roster is told.
    let Ok(events) = events else { return Ok(()) };
    let snapshot = RosterEvent::snapshot(&events, now);
    statement("DELETE FROM queue_roster WHERE group_name = ? AND revision <= ?")
        .bind(group.as_str())
        .bind(*upto)
        .execute(db)?;
    statement("INSERT INTO queue_roster (group_name, revision, id, event) VALUES (?, ?, ?, ?)")
        .bind(group.as_str())
        .bind(*upto)
        .bind(&*snapshot.id().to_string())
        .bind(&*snapshot.encode())
        .execute(db)?;
    Ok(())
}

/// What happened after `since`.
pub(super) fn since(db: &mut SqliteConnection, group: &GroupName, since: u64) -> Result<RosterNews, Trouble> {
    let known = query::<BigInt>("SELECT revision FROM queue_roster WHERE group_name = ? AND revision = ?")
        .bind(group.as_str())
        .bind(since)
        .get_result::<i64>(db)
        .optional()?;
    let is_restart = since != 0 && known.is_none();
    let from = if is_restart { 0 } else { since };
    let events =
        query::<Text>("SELECT event FROM queue_roster WHERE group_name = ? AND ? < revision ORDER BY revision")
            .bind(group.as_str())
            .bind(from)
            .load::<String>(db)?;
    let not_ours = |bad: BadEvent| Trouble::Unfit { problem: bad.to_string(), fix: bad.fix().to_owned() };
    let events: Result<Vec<RosterEvent>, Trouble> =
        events.iter().map(|event| RosterEvent::decode(event).map_err(not_ours)).collect();
    Ok(RosterNews { events: events?, revision: revision(db, group)?, is_restart })
}
