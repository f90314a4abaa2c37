//! Whether this Redis can be trusted with tasks.

use redis::Value;

use super::link::Link;
use super::reply;
use crate::broker::BrokerError;

/// Scripts that may run without room (`allow-oom`) came with this version.
const VERSION_MIN: (u32, u32) = (7, 0);

/// What people should know; a Redis that would lose tasks is refused.
pub(super) async fn check(link: &Link) -> Result<Vec<String>, BrokerError> {
    ping(link).await?;
    let mut warnings = Vec::new();
    let info = match link.ask(&redis::cmd("INFO")).await {
        Ok(info) => reply::text(&info).unwrap_or_default().to_owned(),
        Err(BrokerError::Denied { .. }) => {
            warnings.push("INFO is denied to us: version, eviction policy and persistence are unchecked".to_owned());
            return Ok(warnings);
        }
        Err(error) => return Err(error),
    };
    let info = Info(&info);
    refuse_old(link, &info)?;
    refuse_eviction(link, &info)?;
    if info.get("aof_enabled") != Some("1") {
        warnings.extend(snapshot_warning(link).await?);
    }
    Ok(warnings)
}

async fn ping(link: &Link) -> Result<(), BrokerError> {
    // The answer counts, not the connection: a Redis that cannot write answers, but not with PONG.
    let answer = link.ask(&redis::cmd("PING")).await?;
    if reply::text(&answer) == Some("PONG") { Ok(()) } else { Err(link.unexpected(answer)) }
}

fn refuse_old(link: &Link, info: &Info<'_>) -> Result<(), BrokerError> {
    let version = info.get("redis_version").unwrap_or("0.0");
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    if VERSION_MIN <= (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) {
        return Ok(());
    }
    Err(BrokerError::Unfit {
        place: link.place().to_owned(),
        problem: format!("it is Redis {version}, which cannot take tasks off a full queue"),
        fix: "use Redis 7.0 or newer, or Valkey".to_owned(),
    })
}

fn refuse_eviction(link: &Link, info: &Info<'_>) -> Result<(), BrokerError> {
    match info.get("maxmemory_policy") {
        None | Some("noeviction") => Ok(()),
        Some(policy) => Err(BrokerError::Unfit {
            place: link.place().to_owned(),
            problem: format!("its maxmemory-policy is {policy}: it deletes tasks when memory runs out"),
            fix: "CONFIG SET maxmemory-policy noeviction".to_owned(),
        }),
    }
}

/// Without the append-only file, all depends on snapshots.
async fn snapshot_warning(link: &Link) -> Result<Option<String>, BrokerError> {
    let mut get = redis::cmd("CONFIG");
    get.arg("GET").arg("save");
    match link.ask(&get).await {
        Ok(Value::Array(pair)) if pair.get(1).and_then(reply::text) == Some("") => Ok(Some(
            "persistence is off: a restart of Redis loses the queue; CONFIG SET appendonly yes keeps it".to_owned(),
        )),
        Ok(_) => Ok(Some(
            "appendonly is off: a restart of Redis loses what came after its last snapshot; \
             CONFIG SET appendonly yes keeps it"
                .to_owned(),
        )),
        // Managed services refuse CONFIG, some by not knowing it.
        Err(BrokerError::Denied { .. } | BrokerError::Unexpected { .. }) => Ok(Some(
            "appendonly is off, and CONFIG is denied to us: whether snapshots are taken is unchecked".to_owned(),
        )),
        Err(error) => Err(error),
    }
}

/// `name:value` lines.
struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
    }
}
