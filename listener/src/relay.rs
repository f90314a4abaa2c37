//! Runs a shard's sessions one after the other, without a hole between them where the provider allows two connections:
//! the successor is up and subscribed before its predecessor closes. What both deliver meanwhile is told apart by the
//! successor's higher epoch.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock;
use tokio::time;
use tracing::{info, warn};

use crate::attempt::Opened;
use crate::ending::End;
use crate::retreat::{Pace, Retreat};
use crate::session::Session;
use crate::shard::Shard;
use crate::signals::{Signals, Wish};

/// A session is replaced this long before the provider would cut it, and at nine tenths of a shorter age.
const AGE_MARGIN_MAX: Duration = Duration::from_mins(10);

/// A running session.
struct Leg<'s> {
    run: Pin<Box<dyn Future<Output = End> + Send + 's>>,
    signals: Arc<Signals>,
    aged_at: Option<Instant>,
}

/// Runs until a session ends with no successor, and says why.
pub(crate) async fn run(shard: &Shard, first: Opened) -> End {
    let mut current = Leg::new(shard, first);
    current.signals.take_the_lead();
    loop {
        let wish = tokio::select! {
            end = &mut current.run => return end,
            wish = wish(&current.signals, current.aged_at) => wish,
        };
        let (conn, why) = (shard.conn, End::from(wish));
        if !shard.context.options.feed.limits().may_overlap {
            current.signals.retire();
            current.run.await;
            return why;
        }
        info!(conn, "connection {conn} is replaced: {why}");
        let (next, has_ended) = match succeed(shard, &mut current).await {
            Ok(next) => next,
            Err(end) => return end,
        };
        shard.show_replaced(&why);
        next.signals.take_the_lead();
        current = match hand_over(current, has_ended, next).await {
            Ok(next) => next,
            Err(end) => return end,
        };
    }
}

impl<'s> Leg<'s> {
    fn new(shard: &'s Shard, opened: Opened) -> Self {
        let signals = Arc::<Signals>::default();
        let run = Box::pin(Session::new(shard, opened, Arc::clone(&signals)).run());
        let age = shard.context.options.feed.limits().session_age_max;
        let aged_at = age.map(|age| clock::monotonic() + age.saturating_sub(AGE_MARGIN_MAX.min(age / 10)));
        Self { run, signals, aged_at }
    }
}

/// Completes when it is time for a successor.
async fn wish(signals: &Signals, aged_at: Option<Instant>) -> Wish {
    let aged = async {
        match aged_at {
            Some(at) => time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        wish = signals.wished() => wish,
        () = aged => Wish::Aged,
    }
}

/// Opens a successor and waits until it is subscribed, while the predecessor runs. Says whether the predecessor has
/// ended meanwhile; its end is the answer when it came before there was a successor.
async fn succeed<'s>(shard: &'s Shard, current: &mut Leg<'_>) -> Result<(Leg<'s>, bool), End> {
    let times = shard.context.options.link;
    let mut retreat = Retreat::new(times.reconnect, times.stable_after);
    loop {
        let opened = tokio::select! {
            end = &mut current.run => return Err(end),
            opened = Box::pin(shard.open()) => opened,
        };
        let failed = match opened {
            Err(end) => end,
            Ok(opened) => {
                let mut next = Leg::new(shard, opened);
                tokio::select! {
                    _ = &mut current.run => return Ok((next, true)),
                    () = next.signals.ready() => return Ok((next, false)),
                    end = &mut next.run => end,
                }
            }
        };
        let delay = retreat.delay(Duration::ZERO, Pace::Usual, |most| fastrand::u64(0..=most));
        warn!(
            conn = shard.conn,
            delay_ms = delay.as_millis(),
            "successor of connection {} failed: {failed}",
            shard.conn
        );
        tokio::select! {
            end = &mut current.run => return Err(end),
            () = time::sleep(delay) => {}
        }
    }
}

/// Ends the predecessor while the successor runs.
async fn hand_over<'s>(mut old: Leg<'_>, has_ended: bool, mut next: Leg<'s>) -> Result<Leg<'s>, End> {
    if !has_ended {
        old.signals.retire();
        tokio::select! {
            _ = &mut old.run => {}
            end = &mut next.run => return Err(end),
        }
    }
    Ok(next)
}

impl From<Wish> for End {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Announced(text) => Self::Announced(text),
            Wish::Aged => Self::Aged,
            Wish::Changed => Self::Changed,
        }
    }
}
