//! Keeps a server no longer than its owner lives.
//!
//! A shell holds the server and waits for the end of its own standard input, which comes however the owner ends, also
//! by SIGKILL. Then it ends the server and, unless another start was announced, removes its folder.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{ServerError, Signal, signal};

/// `$1` is the folder, `$2` the signal that ends the server, and the rest is the server. It may have been frozen with
/// its children, so all go on before they end.
const KEEPER: &str = r#"folder=$1; with=$2; shift 2
"$@" </dev/null >/dev/null & server=$!
trap '' INT
echo "$server"
read -r word
kill -CONT "$server" $(cat "/proc/$server/task/$server/children" 2>/dev/null) 2>/dev/null
kill "-$with" "$server" 2>/dev/null; wait "$server"
[ "$word" = keep ] || rm -rf "$folder""#;

/// A running server.
#[derive(Debug)]
pub(super) struct Keeper {
    shell: Child,
    server: u32,
}

/// How a server that is no longer wanted is ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// SIGKILL: it has nothing to say.
    Kill,
    /// SIGINT: PostgreSQL's fast shutdown.
    Interrupt,
}

impl Keeper {
    /// Starts `server`, whose complaints go to `log`.
    pub(super) fn start(folder: &Path, server: &Command, end: End, log: File) -> Result<Self, ServerError> {
        let end = match end {
            End::Kill => "KILL",
            End::Interrupt => "INT",
        };
        let cannot = || ServerError::system(format!("start {}", server.get_program().to_string_lossy()));
        let mut shell = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(folder)
            .arg(end)
            .arg(server.get_program())
            .args(server.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(cannot())?;
        let mut first = String::new();
        if let Some(said) = shell.stdout.take() {
            BufReader::new(said).read_line(&mut first).map_err(cannot())?;
        }
        let server = first.trim().parse().unwrap_or(0);
        Ok(Self { shell, server })
    }

    /// The server's process id.
    pub(super) fn pid(&self) -> u32 {
        self.server
    }

    /// Ends the server in its own way and keeps its folder.
    pub(super) fn stop(mut self) -> Result<(), ServerError> {
        self.end(b"keep\n")
    }

    /// SIGKILL for the server; its folder is kept.
    pub(super) fn kill(self) -> Result<(), ServerError> {
        signal(self.server, Signal::KILL)?;
        self.stop()
    }

    fn end(&mut self, word: &[u8]) -> Result<(), ServerError> {
        if let Some(mut input) = self.shell.stdin.take() {
            // It may have ended already.
            drop(input.write_all(word));
        }
        self.shell.wait().map(drop).map_err(ServerError::system("wait for a server"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.shell.stdin.is_some() {
            drop(self.end(b""));
        }
    }
}
