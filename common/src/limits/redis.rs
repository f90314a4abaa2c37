//! Redis lists: a push of many elements in one command, and an atomic move of a batch with its removal.

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, Script};

use super::{LimitError, PartLimit, Payload, Round, Rounds, Timing};
use crate::presence::InstanceId;

const PUSH: &str = "redis_push";
const TAKE: &str = "redis_take_ack";

/// Elements of one push.
const PUSHED: usize = 500;

/// Elements that wait before a round of takes; about as many as a second is long.
const WAITING: usize = 400_000;

/// Arguments that `unpack` can lay on Lua's stack at once, with a margin.
const MOVE: &str = "local taken = redis.call('RPOP', KEYS[1], ARGV[1])
if not taken then return {} end
for from = 1, #taken, 4000 do
  redis.call('LPUSH', KEYS[2], unpack(taken, from, math.min(from + 3999, #taken)))
end
return taken";

/// Pushes and takes on keys of its own. Redis says itself what it used.
///
/// # Errors
/// When Redis does not answer.
pub async fn redis(url: &str, payload: &Payload, timing: Timing) -> Result<[PartLimit; 2], LimitError> {
    let client = Client::open(url).map_err(LimitError::of(PUSH))?;
    let mut connection = client.get_multiplexed_async_connection().await.map_err(LimitError::of(PUSH))?;
    let tag = InstanceId::fresh();
    let keys = ["list", "taken"].map(|name| format!("tidemill:limits:{{{tag}}}:{name}"));
    let measured = measure(&mut connection, &keys, payload, timing).await;
    let _: () = redis::cmd("UNLINK").arg(&keys).query_async(&mut connection).await.map_err(LimitError::of(TAKE))?;
    measured
}

async fn measure(
    connection: &mut MultiplexedConnection,
    [list, taken]: &[String; 2],
    payload: &Payload,
    timing: Timing,
) -> Result<[PartLimit; 2], LimitError> {
    let pushes: Vec<Cmd> = payload.elements.chunks(PUSHED).map(|chunk| push(list, chunk)).collect();
    let per_turn = payload.elements.len() as u64;
    let (mut pushing, mut taking) = (Rounds::default(), Rounds::default());
    for _ in 0..timing.rounds {
        let (round, mut ticks) = (Round::begin(cpu_us(connection).await?), 0);
        while !round.is_over(timing) && ticks < WAITING as u64 {
            for push in &pushes {
                let _: i64 = push.query_async(connection).await.map_err(LimitError::of(PUSH))?;
            }
            ticks += per_turn;
        }
        pushing.add(&round, ticks, cpu_us(connection).await?);
        while ticks < WAITING as u64 {
            for push in &pushes {
                let _: i64 = push.query_async(connection).await.map_err(LimitError::of(PUSH))?;
            }
            ticks += per_turn;
        }
        let (round, mut ticks) = (Round::begin(cpu_us(connection).await?), 0);
        while !round.is_over(timing) {
            let moved = take(connection, list, taken, payload.elements.len()).await?;
            if moved == 0 {
                break;
            }
            ticks += moved;
        }
        taking.add(&round, ticks, cpu_us(connection).await?);
        let _: i64 = redis::cmd("UNLINK").arg(list).query_async(connection).await.map_err(LimitError::of(TAKE))?;
    }
    Ok([pushing.limit(PUSH), taking.limit(TAKE)])
}

fn push(list: &str, elements: &[Vec<u8>]) -> Cmd {
    let mut push = redis::cmd("LPUSH");
    push.arg(list);
    for element in elements {
        push.arg(element);
    }
    push
}

/// Moves a batch and removes it; how many it had.
async fn take(
    connection: &mut MultiplexedConnection,
    list: &str,
    taken: &str,
    batch: usize,
) -> Result<u64, LimitError> {
    let script = Script::new(MOVE);
    let mut moving = script.key(list);
    moving.key(taken).arg(batch);
    let moved: Vec<Vec<u8>> = moving.invoke_async(connection).await.map_err(LimitError::of(TAKE))?;
    let _: i64 = redis::cmd("DEL").arg(taken).query_async(connection).await.map_err(LimitError::of(TAKE))?;
    Ok(moved.len() as u64)
}

/// User and system time that Redis has used, in microseconds.
async fn cpu_us(connection: &mut MultiplexedConnection) -> Result<u64, LimitError> {
    let info: String = redis::cmd("INFO").arg("cpu").query_async(connection).await.map_err(LimitError::of(PUSH))?;
    Ok(["used_cpu_sys:", "used_cpu_user:"].iter().filter_map(|name| seconds_of(&info, name)).sum())
}

/// `used_cpu_sys:12.345678` in microseconds.
fn seconds_of(info: &str, name: &str) -> Option<u64> {
    let value = info.lines().find_map(|line| line.strip_prefix(name))?.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let micros: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_tells_its_time_in_seconds_with_a_fraction() {
        let info = "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:0.000012\r\nused_cpu_sys_children:9\r\n";
        assert_eq!(seconds_of(info, "used_cpu_sys:"), Some(1_500_000));
        assert_eq!(seconds_of(info, "used_cpu_user:"), Some(12));
        assert_eq!(seconds_of(info, "used_cpu:"), None);
    }
}
