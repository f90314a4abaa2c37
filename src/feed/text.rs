//! A group for people.

use common::clock::UnixMicros;

use super::view::{GroupView, ListenerView};
use crate::amount::{age, count, counted};
use crate::columns::{Align, columns};
use crate::output::printable;

/// Refused symbols that are shown by name; `--json` has all of them.
const REFUSED_SHOWN_MAX: usize = 20;

/// Several lines.
pub(super) fn render(view: &GroupView, now: UnixMicros) -> String {
    let state = if view.paused { "paused" } else { "open" };
    let mut lines = vec![format!("{}  {state}", view.group)];
    lines.push(format!("  symbols   {}", symbols(view)));
    lines.push(format!("  shards    {}", shards(view)));
    lines.extend(refused(view));
    let mut out = format!("{}\n", lines.join("\n"));
    if view.listeners.is_empty() {
        out.push_str("  no listener\n");
    } else {
        for line in listeners(&view.listeners, now).lines() {
            out.push_str("  ");
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn symbols(view: &GroupView) -> String {
    let desired = count(view.desired.len() as u64);
    let desired = if view.settings_known {
        format!("{desired} desired")
    } else {
        format!("{desired} desired beside the settings of its listeners, which are not ours")
    };
    let refused = count(view.refused.len() as u64);
    format!("{desired}, {} carried, {} confirmed, {refused} refused", count(view.carried), count(view.confirmed))
}

fn shards(view: &GroupView) -> String {
    if view.plan == 0 {
        return "none".to_owned();
    }
    let held =
        if view.unheld.is_empty() { "all held".to_owned() } else { format!("nobody holds {}", ranges(&view.unheld)) };
    let mut text = format!("{}, {held}", counted(view.plan.into(), "shard"));
    if view.plan_disputed {
        text.push_str("; listeners disagree: different settings, or one is about to follow");
    }
    text
}

fn refused(view: &GroupView) -> Vec<String> {
    let line = |symbol: &str, reason: &str| format!("  refused   {}: {}", printable(symbol), printable(reason));
    let shown = view.refused.iter().take(REFUSED_SHOWN_MAX);
    let mut lines: Vec<String> = shown.map(|(symbol, reason)| line(symbol, reason)).collect();
    if let Some(more) = view.refused.len().checked_sub(REFUSED_SHOWN_MAX).filter(|more| 0 < *more) {
        lines.push(format!("  refused   and {more} more: --json has all"));
    }
    lines
}

fn listeners(listeners: &[ListenerView], now: UnixMicros) -> String {
    use Align::{Left, Right};
    let head = [
        ("LISTENER", Left),
        ("PROCESS", Left),
        ("SHARDS", Left),
        ("SYMBOLS", Right),
        ("CONFIRMED", Right),
        ("LEASE", Right),
    ];
    let row = |listener: &ListenerView| {
        let lease =
            if now < listener.deadline_at { age(now.age_at(listener.deadline_at)) } else { "ran out".to_owned() };
        vec![
            listener.instance.to_string(),
            listener.process.as_deref().map_or_else(|| "-".to_owned(), printable),
            if listener.shards.is_empty() { "-".to_owned() } else { ranges(&listener.shards) },
            count(listener.carried),
            count(listener.confirmed),
            lease,
        ]
    };
    columns(&head, &listeners.iter().map(row).collect::<Vec<_>>())
}

/// `0-3, 7, 9-10`.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next).filter_map(|run| run.first().zip(run.last()));
    let run = |(first, last): (&u32, &u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
