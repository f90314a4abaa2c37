//! A program that prints the token.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time;

use super::Answer;
use super::file::parsed;
use super::token::TOKEN_BYTES_MAX;
use crate::redact::Redactor;

/// From its start to its end.
const RUN_MAX: Duration = Duration::from_secs(30);

/// What is kept of its output; the rest is read and dropped.
const OUTPUT_BYTES_MAX: u64 = TOKEN_BYTES_MAX as u64 + 1;

/// Of what it says on standard error, this much of the first line is shown, without anything that looks like a secret.
const COMPLAINT_CHARS_MAX: usize = 120;

/// The program, run without a shell.
#[derive(Debug)]
pub(super) struct CommandSource {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) run_max: Duration,
}

impl CommandSource {
    /// `None` for an empty command line.
    pub(super) fn new(line: &[String]) -> Option<Self> {
        let (program, arguments) = line.split_first()?;
        Some(Self { program: program.clone(), arguments: arguments.to_vec(), run_max: RUN_MAX })
    }

    pub(super) async fn ask(&self) -> Answer {
        match time::timeout(self.run_max, self.run()).await {
            Ok(Ok((status, out, _))) if status.success() => match std::str::from_utf8(&out) {
                Ok(text) => parsed(text.lines().next().unwrap_or_default(), |token| token),
                Err(_) => Answer::Trouble("it printed what is no UTF-8".to_owned()),
            },
            Ok(Ok((status, _, err))) => Answer::Trouble(format!("{status}{}", complaint(&err))),
            Ok(Err(error)) => Answer::Trouble(error.to_string()),
            // The program is killed when its handle is dropped.
            Err(_) => Answer::Trouble(format!("not done within {:?}", self.run_max)),
        }
    }

    async fn run(&self) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err, status) = tokio::try_join!(head(out), head(err), child.wait())?;
        Ok((status, out, err))
    }
}

/// The start of what a pipe brings. All of it is read, so that the program is never held up.
async fn head(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(OUTPUT_BYTES_MAX).read_to_end(&mut kept).await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(kept)
}

fn complaint(err: &[u8]) -> String {
    let text = String::from_utf8_lossy(err);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let line: String = Redactor::default().redact(line.trim()).chars().take(COMPLAINT_CHARS_MAX).collect();
    if line.is_empty() { line } else { format!(", it said: {line}") }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn shell(script: &str) -> CommandSource {
        let line = ["sh", "-c", script, "sh", "$HOME; echo injected"].map(str::to_owned);
        CommandSource::new(&line).unwrap()
    }

    async fn trouble(source: &CommandSource) -> String {
        let answer = source.ask().await;
        let Answer::Trouble(why) = answer else { panic!("{answer:?}") };
        why
    }

    #[tokio::test]
    async fn the_first_line_is_the_token() {
        let answer = shell("echo abc; echo second; echo CANARY >&2").ask().await;
        let Answer::Token(token) = answer else { panic!("{answer:?}") };
        assert_eq!(token.secret.expose_secret(), "abc");
        assert!(matches!(shell("true").ask().await, Answer::Nothing(_)));
    }

    #[tokio::test]
    async fn no_shell_reads_the_arguments() {
        let answer = shell("printf %s \"$1\" | tr -d ' '").ask().await;
        let Answer::Token(token) = answer else { panic!("{answer:?}") };
        assert_eq!(token.secret.expose_secret(), "$HOME;echoinjected");
    }

    #[tokio::test]
    async fn a_failure_shows_a_part_of_one_line_without_secrets() {
        let script = "echo CANARY; echo 'denied at https://u:CANARY@h/?code=CANARY' >&2; echo CANARY >&2; exit 3";
        let why = trouble(&shell(script)).await;
        assert_eq!(why, "exit status: 3, it said: denied at https://***@h/?code=***");
        let long = trouble(&shell("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1")).await;
        assert!(long.len() < 200, "{long}");
    }

    #[tokio::test]
    async fn a_program_that_floods_or_hangs_or_is_not_there_is_trouble() {
        assert!(trouble(&shell("head -c 1000000 /dev/zero | tr '\\0' x")).await.contains("that is no token"));
        let slow = CommandSource { run_max: Duration::from_millis(50), ..shell("exec sleep 60") };
        assert_eq!(trouble(&slow).await, "not done within 50ms");
        let missing = CommandSource::new(&["/nowhere/login".to_owned()]).unwrap();
        assert!(trouble(&missing).await.contains("No such file"));
        assert!(CommandSource::new(&[]).is_none());
    }
}
