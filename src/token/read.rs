//! The token that a person or a script hands over.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use common::credentials::Token;

use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;
use crate::output::complain;

/// A longer input is no token; the rest is not read.
const INPUT_BYTES_MAX: u64 = 64 << 10;

/// From `file`, else from standard input: all of a pipe, one line of a terminal.
pub(super) fn token(feed: &str, file: Option<&Path>) -> Result<Token, Failure> {
    let read = match file {
        Some(path) => File::open(path).and_then(limited),
        None if io::stdin().is_terminal() => {
            complain(&format!("paste the token of {feed} and press Enter:"));
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        }
        None => limited(io::stdin()),
    };
    let place = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let text = read.map_err(|error| bad(&format!("cannot read {place}: {error}")))?;
    Token::parse(&text).map_err(|problem| bad(&format!("{place} holds no token: {problem}")))
}

fn limited(input: impl Read) -> io::Result<String> {
    let mut text = String::new();
    input.take(INPUT_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn bad(title: &str) -> Failure {
    let diagnostic = Diagnostic::new(Code::BadToken, title).safe("nothing was stored");
    Failure::new(diagnostic.fix("hand over the token and nothing else: ./login | tidemill token set FEED"))
}
