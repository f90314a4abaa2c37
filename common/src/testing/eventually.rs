//! Waiting for a condition instead of sleeping.

use std::time::Duration;

use crate::clock;

/// Polls `condition` until it holds; fails the test with `what` when it does not within `patience`.
///
/// # Panics
/// When the condition does not hold in time.
pub async fn eventually(what: &str, patience: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let asked = clock::monotonic();
    while !condition().await {
        assert!(asked.elapsed() < patience, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
