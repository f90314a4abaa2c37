//! Checking a queue's keys.
//!
//! What is there is listed page by page with cursors, which see nothing twice for sure and block nobody; each name is
//! then looked at by a script, which sees one moment and repairs in the same one. So a batch that is being made, moved
//! or settled meanwhile is never taken for a stray one.

use std::collections::HashSet;

use redis::{Cmd, Value};

use super::scripts::{FSCK_BATCHES, FSCK_LETTERS, Script, WRITE_OFF};
use super::{NAMES_MAX, RedisBroker, reply};
use crate::broker::{BrokerDesk, BrokerError};
use crate::queue::{Check, DeadId, Finding, Findings, Flaw, QueueName, imbalances};

/// Elements that one step of a cursor looks at.
const PAGE: usize = 1_000;
/// Letters are large, and their pages carry them.
const LETTERS_PAGE: usize = 100;
/// Names of flaws that are remembered so that none is counted twice; more than so many may be.
const REMEMBERED_MAX: usize = 100_000;

/// Keys of a queue that there is one of, and their kind. Those of a group of listeners may share the prefix.
const SINGLES: [(&str, &str); 11] = [
    ("leases", "zset"),
    ("delayed", "zset"),
    ("meta", "hash"),
    ("stats", "hash"),
    ("dead", "zset"),
    ("letters", "hash"),
    ("paused", "string"),
    ("bell", "list"),
    ("owners", "hash"),
    ("shards", "hash"),
    ("roster", "zset"),
];

/// One check under way.
struct Fsck<'b> {
    broker: &'b RedisBroker,
    queue: &'b QueueName,
    check: Check,
    findings: Findings,
    seen: HashSet<(Flaw, String)>,
}

impl RedisBroker {
    /// Checks one queue.
    pub(super) async fn check(&self, queue: &QueueName, check: Check) -> Result<Vec<Finding>, BrokerError> {
        let mut fsck = Fsck { broker: self, queue, check, findings: Findings::default(), seen: HashSet::new() };
        if fsck.kinds().await? {
            fsck.keys().await?;
            for structure in ["leases", "delayed"] {
                fsck.names("ZSCAN", structure, &FSCK_BATCHES).await?;
            }
            fsck.names("HSCAN", "meta", &FSCK_BATCHES).await?;
            fsck.names("HSCAN", "letters", &FSCK_LETTERS).await?;
            fsck.names("ZSCAN", "dead", &FSCK_LETTERS).await?;
            fsck.balance().await?;
        }
        Ok(fsck.findings.sorted())
    }
}

impl Fsck<'_> {
    fn key(&self, name: &str) -> String {
        format!("tidemill:{{{}}}:{name}", self.queue)
    }

    /// Whether the keys of which there is one are what they must be; no script could run on others.
    async fn kinds(&mut self) -> Result<bool, BrokerError> {
        let mut all_good = true;
        let own = SINGLES.map(|(name, kind)| (self.key(name), kind));
        for (key, kind) in own.into_iter().chain([(self.queue.to_string(), "list")]) {
            let mut command = redis::cmd("TYPE");
            let answer = self.broker.link.ask(command.arg(&key)).await?;
            let is = self.broker.expect(reply::text(&answer), "no type")?;
            if is != kind && is != "none" {
                self.add(Flaw::Foreign, key, 0, false);
                all_good = false;
            }
        }
        Ok(all_good)
    }

    /// Every key under the queue's prefix: batches without a lease, and what is none of ours.
    async fn keys(&mut self) -> Result<(), BrokerError> {
        let prefix = self.key("");
        let mut cursor = "0".to_owned();
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(PAGE);
            let (next, keys) = self.page(&command).await?;
            let mut batches = Vec::new();
            for key in keys {
                let name = reply::text(&key).and_then(|key| key.strip_prefix(&prefix));
                match name.and_then(|name| name.split_once(':')) {
                    Some(("b", id)) => batches.push(id.to_owned()),
                    Some(("t" | "p", _)) => {}
                    _ if name.is_some_and(|name| SINGLES.iter().any(|(single, _)| *single == name)) => {}
                    _ => self.add(Flaw::Foreign, shown(&key), 0, false),
                }
            }
            self.look(&FSCK_BATCHES, &batches).await?;
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// Every name in a sorted set or a hash.
    async fn names(&mut self, scan: &str, structure: &str, script: &Script) -> Result<(), BrokerError> {
        let count = if structure == "letters" { LETTERS_PAGE } else { PAGE };
        let are_letters = matches!(structure, "letters" | "dead");
        let mut cursor = "0".to_owned();
        loop {
            let mut command = redis::cmd(scan);
            command.arg(self.key(structure)).arg(&cursor).arg("COUNT").arg(count);
            let (next, pairs) = self.page(&command).await?;
            let mut names = Vec::new();
            for [name, _] in pairs.as_chunks::<2>().0 {
                match reply::text(name) {
                    Some(text) if !are_letters || text.parse::<DeadId>().is_ok() => names.push(text.to_owned()),
                    _ => self.add(Flaw::Foreign, format!("{structure}: {}", shown(name)), 0, false),
                }
            }
            self.look(script, &names).await?;
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// One step of a cursor.
    async fn page(&self, command: &Cmd) -> Result<(String, Vec<Value>), BrokerError> {
        let answer = self.broker.link.ask(command).await?;
        let page: Option<[Value; 2]> = reply::array(answer);
        let [next, elements] = self.broker.expect(page, "no page of a scan")?;
        let next = self.broker.expect(reply::text(&next).map(str::to_owned), "no cursor")?;
        Ok((next, self.broker.expect(reply::list(elements), "no elements of a scan")?))
    }

    async fn look(&mut self, script: &Script, names: &[String]) -> Result<(), BrokerError> {
        for names in names.chunks(NAMES_MAX) {
            let mut call = script.on(self.queue.as_str());
            call.arg(u8::from(self.check == Check::Fix));
            for name in names {
                call.arg(name);
            }
            let answer = self.broker.link.run(script, call).await?;
            let found = self.broker.expect(reply::list(answer), "no list of flaws")?;
            for [flaw, name, tasks, fixed] in found.as_chunks::<4>().0 {
                let flaw = self.broker.expect(reply::text(flaw).and_then(flaw_of), "a strange flaw")?;
                let tasks = reply::count(tasks).unwrap_or(0);
                self.add(flaw, shown(name), tasks, reply::count(fixed) == Some(1));
            }
        }
        Ok(())
    }

    fn add(&mut self, flaw: Flaw, example: String, tasks: u64, is_fixed: bool) {
        // What is fixed is not found again.
        if !is_fixed && self.seen.len() < REMEMBERED_MAX && !self.seen.insert((flaw, example.clone())) {
            return;
        }
        self.findings.add(Finding { flaw, found: 1, tasks, fixed: u64::from(is_fixed), example });
    }

    /// What is out of balance after all that.
    async fn balance(&mut self) -> Result<(), BrokerError> {
        let ledger = self.broker.census(self.queue).await?.ledger;
        for (flaw, difference) in imbalances(&ledger) {
            let mut fixed = 0;
            if self.check == Check::Fix {
                let mut call = WRITE_OFF.on(self.queue.as_str());
                call.arg(flaw.name()).arg(ledger.written_off(flaw.name())).arg(difference);
                let answer = self.broker.link.run(&WRITE_OFF, call).await?;
                fixed = self.broker.expect(reply::count(&answer), "no number written off")?;
            }
            let example = "tidemill audit".to_owned();
            self.findings.add(Finding { flaw, found: difference, tasks: 0, fixed, example });
        }
        Ok(())
    }
}

fn flaw_of(name: &str) -> Option<Flaw> {
    use Flaw::{EmptyBatch, EntryWithoutLetter, Foreign, LetterWithoutEntry, StrayBatch, StrayMeta, TwoPlaces};
    let flaws = [StrayBatch, EmptyBatch, TwoPlaces, StrayMeta, LetterWithoutEntry, EntryWithoutLetter, Foreign];
    flaws.into_iter().find(|flaw| flaw.name() == name)
}

/// A name for people, whatever bytes it has.
fn shown(name: &Value) -> String {
    let Value::BulkString(bytes) = name else { return reply::text(name).unwrap_or("?").to_owned() };
    bytes.escape_ascii().to_string()
}
