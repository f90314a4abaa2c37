//! Standard output for data, standard error for everything else. A reader that has gone is no error.

use std::io::Write;

use serde::Serialize;

use crate::failure::Failure;

/// Writes `text` to standard output as it is; colour codes are removed where they are not wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Writes a line to standard output.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    print(&format!("{line}\n"))
}

/// Writes `value` to standard output as JSON: indented for a person, on one line for a pipe.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    use std::io::IsTerminal;
    let text = if std::io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    print_line(&text.expect("maps with text keys, numbers and text always serialise to memory"))
}

/// Writes a line to standard error. Nobody can be told when that fails.
pub(crate) fn complain(line: &str) {
    drop(writeln!(anstream::stderr(), "{line}"));
}

/// Somebody else's text without control characters, which could move the cursor or hide other text.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { Shown::Escaped(c.escape_default()) } else { Shown::Same(Some(c)) })
        .collect()
}

enum Shown {
    Same(Option<char>),
    Escaped(std::char::EscapeDefault),
}

impl Iterator for Shown {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Same(c) => c.take(),
            Self::Escaped(escape) => escape.next(),
        }
    }
}
