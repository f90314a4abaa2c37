//! The report for people: state, the four stages, the balance, the parts, and what needs attention.

use common::presence::{Continuity, Link};

use super::balance::Balance;
use super::judgement::{State, link};
use super::report::{ConnectionReport, QueueReport, Report, StoreReport, WorkerReport};
use crate::amount::{age_us, count, counted, size};
use crate::columns::{Align, columns};
use crate::output::printable;

/// Writes the report as text with colour codes.
pub(super) fn render(report: &Report) -> String {
    let Some(ledger) = &report.ledger else {
        return format!("{}\n{}\n{}", head(report), store_line(&report.store) + "\n", attention(report));
    };
    let blocks = [
        head(report),
        stages(report),
        balance(ledger),
        connections(&report.connections),
        workers(&report.workers),
        attention(report),
    ];
    let blocks: Vec<String> = blocks.into_iter().filter(|block| !block.is_empty()).collect();
    blocks.join("\n")
}

fn head(report: &Report) -> String {
    let (colour, mark, word) = match report.state {
        State::Healthy => ("32", "●", "HEALTHY"),
        State::Degraded => ("33", "◐", "DEGRADED"),
        State::Unreachable => ("31", "○", "UNREACHABLE"),
        State::Loss => ("31", "✗", "LOSS"),
    };
    let at = report.at.split_once('.').map_or(report.at.as_str(), |(second, _)| second).replace('T', " ");
    format!(
        "tidemill · {} · \u{1b}[{colour}m{mark} {word}\u{1b}[0m · {} UTC\n",
        report.broker,
        at.trim_end_matches('Z')
    )
}

fn stages(report: &Report) -> String {
    let mut lines = vec![feed_line(report)];
    for queue in &report.queues {
        lines.push(queue_line(queue));
    }
    if report.queues.is_empty() {
        lines.push("QUEUE    none yet".to_owned());
    }
    lines.push(worker_line(&report.workers));
    lines.push(store_line(&report.store));
    lines.join("\n") + "\n"
}

fn feed_line(report: &Report) -> String {
    let all = &report.connections;
    if all.is_empty() {
        return format!("FEED     {}", if report.listeners.is_empty() { "no listener" } else { "no connection" });
    }
    let live = all.iter().filter(|connection| connection.state == "live").count();
    let mut parts = vec![format!("{live}/{} live", all.len())];
    let waiting = all.iter().filter(|connection| connection.state == link(Link::NeedsLogin)).count();
    if 0 < waiting {
        parts.push(format!("{waiting} need{} a login", if waiting == 1 { "s" } else { "" }));
    }
    let rates: Option<Vec<u64>> = all.iter().map(|connection| connection.messages_per_s).collect();
    match rates {
        Some(rates) => parts.push(format!("{} msg/s", count(rates.iter().sum()))),
        None => parts.push(counted(all.iter().map(|connection| connection.messages).sum(), "message")),
    }
    let ages = || all.iter().filter_map(|connection| connection.last_message_age_ms);
    if let (Some(freshest), Some(stalest)) = (ages().min(), ages().max()) {
        parts.push(format!("freshest {} · stalest {}", millis(freshest), millis(stalest)));
    }
    let buffered: u64 = report.listeners.iter().map(|listener| listener.buffered).sum();
    if 0 < buffered {
        parts.push(format!("{} buffered", count(buffered)));
    }
    let spooled: u64 =
        report.listeners.iter().filter_map(|listener| listener.counts).map(|counts| counts.spooled).sum();
    if 0 < spooled {
        parts.push(format!("{} spooled", count(spooled)));
    }
    format!("FEED     {}", parts.join(" · "))
}

fn queue_line(queue: &QueueReport) -> String {
    let ledger = &queue.ledger;
    let mut parts = vec![format!("{}{}", queue.name, if queue.paused { " (paused)" } else { "" })];
    parts.push(format!("{} waiting", count(ledger.waiting)));
    parts.extend(queue.oldest_age_ms.map(|oldest| format!("oldest {}", millis(oldest))));
    parts.push(format!("{} leased", count(ledger.leased)));
    parts.push(format!("{} delayed", count(ledger.delayed)));
    parts.push(format!("{} dead", count(ledger.dead)));
    if let (Some(accepted), Some(settled)) = (queue.accepted_per_s, queue.settled_per_s) {
        parts.push(format!("in {}/s · out {}/s", count(accepted), count(settled)));
    }
    format!("QUEUE    {}", parts.join(" · "))
}

fn worker_line(workers: &[WorkerReport]) -> String {
    if workers.is_empty() {
        return "WORKERS  none".to_owned();
    }
    let rate: u64 = workers.iter().map(|worker| worker.tasks_per_s).sum();
    let slowest = workers.iter().map(|worker| worker.commit_p99_us).max().unwrap_or(0);
    let retries: u64 = workers.iter().map(|worker| worker.retries).sum();
    let number = workers.len();
    format!(
        "WORKERS  {number} running · {} tasks/s · commit p99 {} · {} retried",
        count(rate),
        age_us(slowest),
        count(retries)
    )
}

fn store_line(store: &StoreReport) -> String {
    let mut parts = vec![store.place.clone()];
    match (&store.trouble, store.priced) {
        (Some(_), _) => parts.push("not available".to_owned()),
        (None, None) => parts.push("none yet".to_owned()),
        (None, Some(priced)) => {
            parts.push(counted(priced, "price"));
            parts.extend(store.newest_age_ms.map(|newest| format!("newest {} ago", millis(newest))));
            parts.extend(store.bytes.map(size));
            parts.extend(store.gaps.filter(|gaps| 0 < *gaps).map(|gaps| counted(gaps, "gap")));
        }
    }
    format!("STORE    {}", parts.join(" · "))
}

fn balance(l: &Balance) -> String {
    let shed = if l.shed == 0 { String::new() } else { format!(" · shed {}", count(l.shed)) };
    let rejected = if l.rejected == 0 { String::new() } else { format!(" · rejected {}", count(l.rejected)) };
    let purged = if l.purged == 0 { String::new() } else { format!(" + purged {}", count(l.purged)) };
    format!(
        "BALANCE  accepted {} = settled {} + waiting {} + leased {} + delayed {} + dead {}{purged} · lost {}\n         \
         ticks {} = stored {} + superseded {} + legacy {} + skipped {} + expired {}{rejected}{shed}\n",
        count(l.accepted),
        count(l.settled),
        count(l.waiting),
        count(l.leased),
        count(l.delayed),
        count(l.dead),
        count(l.lost),
        count(l.ticks),
        count(l.stored),
        count(l.superseded),
        count(l.legacy),
        count(l.skipped),
        count(l.expired),
    )
}

fn connections(connections: &[ConnectionReport]) -> String {
    use Align::{Left, Right};
    if connections.is_empty() {
        return String::new();
    }
    let mut head = vec![
        ("CONN", Right),
        ("FEED", Left),
        ("STATE", Left),
        ("SYMBOLS", Right),
        ("MESSAGES", Right),
        ("MSG/S", Right),
        ("ERRORS", Right),
        ("LAST MSG", Right),
        ("RECONNECTS", Right),
    ];
    let continuity = |connection: &ConnectionReport| {
        let Continuity { gaps, missing, duplicates, backwards, unwatched: _ } = connection.continuity;
        [gaps, missing, duplicates, backwards]
    };
    // Most of the time there is nothing to see in these.
    let is_broken = connections.iter().flat_map(continuity).any(|number| 0 < number);
    if is_broken {
        head.extend([("GAPS", Right), ("MISSING", Right), ("DUPLICATES", Right), ("BACKWARDS", Right)]);
    }
    head.push(("LISTENER", Left));
    let row = |connection: &ConnectionReport| {
        let mut row = vec![
            connection.conn.to_string(),
            connection.feed.clone(),
            connection.state.to_owned(),
            format!("{}/{}", connection.confirmed, connection.symbols),
            count(connection.messages),
            connection.messages_per_s.map_or_else(dash, count),
            count(connection.errors),
            connection.last_message_age_ms.map_or_else(dash, millis),
            count(connection.reconnects),
        ];
        if is_broken {
            row.extend(continuity(connection).map(count));
        }
        row.push(connection.listener.clone());
        row
    };
    columns(&head, &connections.iter().map(row).collect::<Vec<_>>())
}

fn workers(workers: &[WorkerReport]) -> String {
    use Align::{Left, Right};
    if workers.is_empty() {
        return String::new();
    }
    let head = [
        ("WORKER", Left),
        ("BUSY", Right),
        ("TASKS/S", Right),
        ("BATCH", Right),
        ("COMMIT P50", Right),
        ("P99", Right),
        ("RETRIES", Right),
        ("DEAD", Right),
        ("LEASES LOST", Right),
        ("RSS", Right),
    ];
    let row = |worker: &WorkerReport| {
        vec![
            format!("{}/{}", worker.process.host, worker.process.pid),
            format!("{}/{}", worker.busy, worker.concurrency),
            count(worker.tasks_per_s),
            format!("{}/{}", count(worker.batch_tasks.into()), count(worker.batch_size.into())),
            age_us(worker.commit_p50_us),
            age_us(worker.commit_p99_us),
            count(worker.retries),
            count(worker.dead),
            count(worker.leases_lost),
            if worker.process.memory_bytes == 0 { dash() } else { size(worker.process.memory_bytes) },
        ]
    };
    columns(&head, &workers.iter().map(row).collect::<Vec<_>>())
}

fn attention(report: &Report) -> String {
    let mut lines = Vec::new();
    for reason in &report.reasons {
        lines.push(format!("! {}\n", printable(&reason.text)));
        let fix = reason.fix.iter().flat_map(|fix| fix.lines()).enumerate();
        let label = |index| if index == 0 { "fix" } else { "" };
        lines.extend(fix.map(|(index, fix)| format!("    {:<3}  {}\n", label(index), printable(fix))));
    }
    lines.extend(report.notes.iter().map(|note| format!("· {}\n", printable(note))));
    lines.concat()
}

fn millis(ms: u64) -> String {
    age_us(ms.saturating_mul(1_000))
}

fn dash() -> String {
    "-".to_owned()
}
