//! Appending tasks at the tail.
//!
//! The script `enqueue.lua` decides whether they come in. A few tasks go through it; of many only the first does, and the
//! others are pushed by plain commands behind it, in the same transaction: as strings of Lua each of them cost Redis about
//! 1.5 microseconds more.

use std::sync::atomic::Ordering;

use redis::{Cmd, Value};

use super::scripts::{Call, ENQUEUE};
use super::{PRODUCER_TTL, RedisBroker, add_counts, batch_key, millis, reply};
use crate::broker::{BrokerError, Enqueue};

/// More tasks are not passed through the script: from here the transaction around it is cheaper.
const IN_SCRIPT_MAX: usize = 8;

impl RedisBroker {
    /// The script's answer.
    pub(super) async fn push(&self, enqueue: &Enqueue<'_>) -> Result<Value, BrokerError> {
        if IN_SCRIPT_MAX < enqueue.tasks.len() && !self.is_script_alone.load(Ordering::Relaxed) {
            match self.push_behind(enqueue).await {
                // A user that may run scripts need not be allowed these commands. Nothing was carried out.
                Err(BrokerError::Denied { .. }) => self.is_script_alone.store(true, Ordering::Relaxed),
                outcome => return outcome,
            }
        }
        self.link.run(&ENQUEUE, call(enqueue, enqueue.tasks)).await
    }

    async fn push_behind(&self, enqueue: &Enqueue<'_>) -> Result<Value, BrokerError> {
        let (first, rest) = enqueue.tasks.split_at(1);
        let door = batch_key(enqueue.queue, format_args!("{}:{}", enqueue.producer, enqueue.batch));
        let bytes: usize = rest.iter().map(Vec::len).sum();
        let mut push = Cmd::with_capacity(2 + rest.len(), door.len() + bytes);
        push.arg("LPUSHX").arg(&door);
        for task in rest {
            push.arg(task.as_slice());
        }
        let mut rename = redis::cmd("RENAMENX");
        rename.arg(&door).arg(enqueue.queue.as_str());
        let answers = self.link.run_and_go_on(&ENQUEUE, call(enqueue, first), [push, rename]).await?;
        let [answer, _, renamed]: [Value; 3] = self.expect(reply::array(answers), "not as many answers as commands")?;
        let is_accepted =
            matches!(&answer, Value::Array(parts) if parts.first().and_then(reply::text) == Some("accepted"));
        // They belong together by construction; if they ever do not, `fsck` finds the tasks and people must know.
        if is_accepted != (renamed == Value::Int(1)) {
            return Err(self.link.unexpected((answer, renamed)));
        }
        Ok(answer)
    }
}

fn call(enqueue: &Enqueue<'_>, given: &[Vec<u8>]) -> Call {
    let bytes: usize = given.iter().map(Vec::len).sum();
    let mut call = ENQUEUE.sized(enqueue.queue.as_str(), given.len() + 16, bytes + 256);
    let counts = enqueue.counts;
    let mut pairs = vec![("received".into(), counts.received)];
    pairs.extend(counts.rejected.iter().map(|(reason, &count)| (format!("rejected:{reason}"), count)));
    pairs.extend(counts.shed.iter().map(|(policy, &count)| (format!("shed:{policy}"), count)));
    call.arg(enqueue.producer.to_string()).arg(enqueue.batch).arg(millis(PRODUCER_TTL)).arg(enqueue.waiting_max);
    add_counts(&mut call, pairs);
    call.arg(enqueue.tasks.len());
    for task in given {
        call.arg(task.as_slice());
    }
    call
}
