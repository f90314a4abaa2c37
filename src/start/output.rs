//! Children's output, line by line under their names, so that one terminal shows all.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Longest line that is passed on whole; the rest of a longer one is cut.
const LINE_MAX: usize = 4_096;

/// Writes whole lines to standard output. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    name_width: usize,
    // One line at a time, whoever writes.
    turn: Arc<Mutex<()>>,
}

impl Output {
    /// Names are padded to `name_width`.
    pub(crate) fn new(name_width: usize) -> Self {
        Self { name_width, turn: Arc::default() }
    }

    /// One line under a name.
    pub(crate) fn line(&self, name: &str, text: &str) {
        let width = self.name_width;
        self.write(&format!("{name:<width$} │ {text}"));
    }

    /// One line of the launcher's own.
    pub(crate) fn say(&self, text: &str) {
        self.write(text);
    }

    /// Passes on the lines of a child until it closes its end.
    pub(crate) async fn relay(self, name: String, from: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let cut = line.get(..LINE_MAX).unwrap_or(&line);
            self.line(&name, String::from_utf8_lossy(cut).trim_end());
        }
    }

    fn write(&self, line: &str) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if writeln!(anstream::stdout(), "{line}").is_err() {
            // Nobody reads our output any more (`start_system | head`): the pipe goes on all the same.
        }
    }
}
