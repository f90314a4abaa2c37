//! Dead letters to a file and back, a page at a time.

use std::io::{BufRead, Read};
use std::path::Path;

use common::broker::{Broker, BrokerDesk, Enqueue, Enqueued};
use common::presence::InstanceId;
use common::queue::{DeadFilter, DeadLetter, IntakeCounts, QueueName};

use super::act::PAGE_LETTERS;
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;
use crate::output::print;

/// The longest line that is read: a task of some megabytes in base64.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// Tasks of one enqueue, and about how many bytes of them.
const TASKS_MAX: usize = 500;
const BYTES_MAX: usize = 4 << 20;

/// Writes every letter that matches to standard output, one line each. Returns how many.
pub(super) async fn export(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    filter: &DeadFilter,
) -> Result<u64, Failure> {
    let (mut written, mut from) = (0, None);
    loop {
        let page = desk.dead_page(queue, filter, from, PAGE_LETTERS).await?;
        let lines: Vec<String> = page.letters.iter().map(|letter| format!("{}\n", letter.to_line())).collect();
        print(&lines.concat())?;
        written += lines.len() as u64;
        from = page.next;
        if from.is_none() {
            return Ok(written);
        }
    }
}

/// Puts the tasks of an exported file on the queue, as new ones. Returns how many.
pub(super) async fn import(
    broker: &dyn Broker,
    queue: &QueueName,
    path: &Path,
    waiting_max: u64,
) -> Result<u64, Failure> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let mut lines = Lines { input: std::io::BufReader::new(file), path, number: 0 };
    let producer = InstanceId::fresh();
    let (mut put, mut batch) = (0, 0);
    loop {
        let tasks = lines.next_tasks()?;
        if tasks.is_empty() {
            return Ok(put);
        }
        batch += 1;
        let counts = IntakeCounts::default();
        let enqueue = Enqueue { queue, producer, batch, tasks: &tasks, waiting_max, counts: &counts };
        match broker.enqueue(&enqueue).await? {
            Enqueued::Accepted | Enqueued::Already => put += tasks.len() as u64,
            Enqueued::Full { waiting } => return Err(full(queue, waiting, put)),
        }
    }
}

/// A file's letters, read as they are wanted.
struct Lines<'p, R> {
    input: R,
    path: &'p Path,
    number: u64,
}

impl<R: BufRead> Lines<'_, R> {
    fn next_tasks(&mut self) -> Result<Vec<Vec<u8>>, Failure> {
        let (mut tasks, mut bytes) = (Vec::new(), 0);
        while tasks.len() < TASKS_MAX && bytes < BYTES_MAX {
            let Some(letter) = self.next_letter()? else { break };
            bytes += letter.task.len();
            tasks.push(letter.task);
        }
        Ok(tasks)
    }

    fn next_letter(&mut self) -> Result<Option<DeadLetter>, Failure> {
        loop {
            let mut line = Vec::new();
            let read = self.input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
            self.number += 1;
            match read {
                Ok(0) => return Ok(None),
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => return DeadLetter::from_line(&line).map(Some).map_err(|error| self.bad(&error.to_string())),
                Err(error) => return Err(self.bad(&error.to_string())),
            }
        }
    }

    fn bad(&self, why: &str) -> Failure {
        unreadable(self.path, &format!("line {}: {why}", self.number))
    }
}

fn unreadable(path: &Path, why: &str) -> Failure {
    let diagnostic = Diagnostic::new(Code::BadExport, format!("cannot read {}", path.display())).why(why);
    Failure::new(
        diagnostic
            .safe("the lines before it are on the queue; sending them again changes no price")
            .fix("name a file that `tidemill dead export` wrote"),
    )
}

fn full(queue: &QueueName, waiting: u64, put: u64) -> Failure {
    let title = format!("{queue} is full: {waiting} tasks wait");
    let diagnostic = Diagnostic::new(Code::BrokerFull, title).safe(format!("{put} tasks were put on the queue"));
    Failure::new(diagnostic.fix("repeat the command once workers have emptied it: tidemill status --wait drained"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Lines<'static, &[u8]> {
        Lines { input: text, path: Path::new("letters.jsonl"), number: 0 }
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let refused = lines(b"\n\n{}\n").next_tasks().unwrap_err();
        assert!(format!("{refused:?}").contains("line 3: it is no exported dead letter"), "{refused:?}");
    }

    #[test]
    fn an_empty_file_has_no_tasks() {
        assert!(lines(b"\n \n").next_tasks().unwrap().is_empty());
    }
}
