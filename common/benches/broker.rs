//! How many tasks per second go through a broker: enqueue, take, settle.
//!
//! `cargo bench -p tidemill-common --bench broker -- [URL] [SECONDS]`; without a URL, a SQLite file in a new temporary
//! folder. The queue `bench` there must be empty, and is empty again afterwards.

#![expect(clippy::print_stdout, reason = "the numbers are its output")]

use std::time::{Duration, Instant};

use common::broker::{self, Broker, Enqueue, Enqueued};
use common::clock;
use common::presence::InstanceId;
use common::queue::{Batch, IntakeCounts, LeaseId, QueueName, Settled, Settlement, Take, Taken, TickCounts};

/// Tasks per call.
const SIZES: [u32; 4] = [1, 100, 500, 2_000];
/// The size of a typical task: a trade in its envelope.
const TASK_BYTES: usize = 220;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let folder = tempfile::tempdir()?;
    let url = match arguments.first() {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", folder.path().join("bench.db").display()),
    };
    let seconds = arguments.get(1).map_or(Ok(3), |seconds| seconds.parse())?;
    let broker = broker::connect(url.as_str()).await?;
    let queue: QueueName = "bench".parse()?;
    if broker.census(&queue).await?.ledger.open() != 0 {
        return Err("the queue `bench` is not empty".into());
    }
    println!("tasks of {TASK_BYTES} bytes, one producer and one worker in turn, {seconds} s each\n");
    println!("| tasks per call | tasks/s | enqueue us/call | settle + take us/call |");
    println!("|---|---|---|---|");
    for size in SIZES {
        let run = Run { broker: &*broker, queue: &queue, size };
        let sum = run.for_long(Duration::from_secs(seconds)).await?;
        println!("| {size} | {} | {} | {} |", sum.tasks_per_s(), sum.mean_us(sum.enqueuing), sum.mean_us(sum.working));
    }
    let census = broker.census(&queue).await?;
    println!("\nbalanced: {}, lost: {}", census.ledger.is_balanced(), census.ledger.lost());
    Ok(())
}

struct Run<'a> {
    broker: &'a dyn Broker,
    queue: &'a QueueName,
    size: u32,
}

/// What was measured.
#[derive(Default)]
struct Sum {
    tasks: u128,
    rounds: u128,
    enqueuing: Duration,
    working: Duration,
}

impl Sum {
    fn tasks_per_s(&self) -> u128 {
        self.tasks * 1_000_000 / (self.enqueuing + self.working).as_micros().max(1)
    }

    fn mean_us(&self, spent: Duration) -> u128 {
        spent.as_micros() / self.rounds.max(1)
    }
}

impl Run<'_> {
    /// Enqueues and works off in turn, so that both are measured and the queue stays short.
    async fn for_long(&self, duration: Duration) -> Result<Sum, Failure> {
        let producer = InstanceId::fresh();
        let tasks = vec![vec![b'x'; TASK_BYTES]; usize::try_from(self.size)?];
        let (mut sum, mut held) = (Sum::default(), None);
        let began = clock::monotonic();
        for batch in 1.. {
            let asked = clock::monotonic();
            self.enqueue(producer, batch, &tasks).await?;
            sum.enqueuing += since(asked);
            let asked = clock::monotonic();
            held = self.work(held).await?;
            sum.working += since(asked);
            sum.rounds += 1;
            sum.tasks += u128::from(self.size);
            if duration <= since(began) {
                break;
            }
        }
        while held.is_some() {
            held = self.work(held).await?;
        }
        Ok(sum)
    }

    async fn enqueue(&self, producer: InstanceId, batch: u64, tasks: &[Vec<u8>]) -> Result<(), Failure> {
        let counts = IntakeCounts { received: u64::from(self.size), ..IntakeCounts::default() };
        let enqueue = Enqueue { queue: self.queue, producer, batch, tasks, waiting_max: 1_000_000, counts: &counts };
        match self.broker.enqueue(&enqueue).await? {
            Enqueued::Accepted => Ok(()),
            other @ (Enqueued::Already | Enqueued::Full { .. }) => Err(format!("enqueue: {other:?}").into()),
        }
    }

    /// Settles what is held and takes the next, as a busy worker does.
    async fn work(&self, held: Option<Batch>) -> Result<Option<Batch>, Failure> {
        let next = Take {
            queue: self.queue.clone(),
            lease: LeaseId::fresh(),
            tasks_max: self.size,
            bytes_max: 4 << 20,
            ttl: Duration::from_secs(30),
            worker: "bench".into(),
        };
        let Some(held) = held else { return Ok(batch(self.broker.take(&next).await?)) };
        let (settled, taken) = self.broker.settle(&self.all_stored(&held)?, Some(&next)).await?;
        if settled != Settled::Done {
            return Err(format!("settle: {settled:?}").into());
        }
        Ok(taken.and_then(batch))
    }

    fn all_stored(&self, held: &Batch) -> Result<Settlement, Failure> {
        let settled = u32::try_from(held.tasks.len())?;
        let ticks = u64::from(settled);
        Ok(Settlement {
            queue: self.queue.clone(),
            lease: held.lease,
            settled,
            counts: TickCounts { ticks, stored: ticks, ..TickCounts::default() },
            retry: Vec::new(),
            dead: Vec::new(),
        })
    }
}

fn batch(taken: Taken) -> Option<Batch> {
    match taken {
        Taken::Batch(batch) => Some(batch),
        Taken::Empty | Taken::Paused | Taken::Used => None,
    }
}

fn since(moment: Instant) -> Duration {
    clock::monotonic().saturating_duration_since(moment)
}
