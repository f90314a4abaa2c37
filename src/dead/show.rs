//! Dead letters for people.

use common::clock::UnixMicros;
use common::queue::DeadLetter;

use crate::amount::age;
use crate::columns::{Align, columns};
use crate::output::printable;

/// Longest error text in the list; `dead show` has all of it.
const ERROR_CHARS_MAX: usize = 60;

/// One line per letter.
pub(super) fn table(letters: &[DeadLetter], now: UnixMicros) -> String {
    use Align::{Left, Right};
    let head = [
        ("ID", Left),
        ("DIED", Right),
        ("REASON", Left),
        ("CODE", Left),
        ("SYMBOL", Left),
        ("TRIES", Right),
        ("ERROR", Left),
    ];
    let row = |letter: &DeadLetter| {
        vec![
            letter.id.to_string(),
            age(letter.died_at.age_at(now)),
            printable(&letter.reason),
            letter.code.as_deref().map_or_else(|| "-".to_owned(), printable),
            letter.symbol.as_deref().map_or_else(|| "-".to_owned(), printable),
            letter.attempts.to_string(),
            shortened(&letter.error),
        ]
    };
    columns(&head, &letters.iter().map(row).collect::<Vec<_>>())
}

/// All of one letter.
pub(super) fn letter(letter: &DeadLetter) -> String {
    let fields = [
        ("id", letter.id.to_string()),
        ("died", letter.died_at.to_string()),
        ("reason", printable(&letter.reason)),
        ("code", letter.code.as_deref().map_or_else(|| "-".to_owned(), printable)),
        ("symbol", letter.symbol.as_deref().map_or_else(|| "-".to_owned(), printable)),
        ("tries", letter.attempts.to_string()),
        ("worker", printable(&letter.worker)),
        ("error", printable(&letter.error)),
    ];
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name:<8} {value}\n")).collect();
    format!("{}task     {}\n", lines.concat(), task(&letter.task))
}

/// The original bytes: text as it is, anything else escaped byte by byte.
fn task(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), printable)
}

fn shortened(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let cut: String = first.chars().take(ERROR_CHARS_MAX).collect();
    let mark = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{mark}", printable(&cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> DeadLetter {
        DeadLetter {
            id: "0198c5d0-7d2e-7c55-a7bb-0123456789ab".parse().unwrap(),
            reason: "row".into(),
            code: Some("22003".into()),
            error: "numeric field overflow\nDETAIL: too large".into(),
            symbol: Some("NSE:ABB\u{1b}[2J".into()),
            attempts: 5,
            worker: "host-a/4121".into(),
            died_at: UnixMicros(1_763_726_400_000_000),
            task: b"{\"v\":1,\"body\":{}}".to_vec(),
        }
    }

    #[test]
    fn the_list_is_one_line_per_letter() {
        let now = UnixMicros(1_763_726_400_000_000 + 90_000_000);
        insta::assert_snapshot!(table(&[refused()], now), @r#"
        ID                                    DIED  REASON  CODE   SYMBOL            TRIES  ERROR
        0198c5d0-7d2e-7c55-a7bb-0123456789ab  90 s  row     22003  NSE:ABB\u{1b}[2J      5  numeric field overflow…
        "#);
    }

    #[test]
    fn a_letter_shows_its_original_bytes() {
        insta::assert_snapshot!(letter(&refused()), @r#"
        id       0198c5d0-7d2e-7c55-a7bb-0123456789ab
        died     2025-11-21T12:00:00Z
        reason   row
        code     22003
        symbol   NSE:ABB\u{1b}[2J
        tries    5
        worker   host-a/4121
        error    numeric field overflow\nDETAIL: too large
        task     {"v":1,"body":{}}
        "#);
        assert_eq!(task(b"\xff\x00ok"), "\\xff\\x00ok");
    }
}
