//! The queue on Redis lists.

use std::sync::Arc;

use super::{Broker, BrokerError};

/// Connects to `redis://` or `rediss://`.
pub async fn connect(_url: &str) -> Result<Arc<dyn Broker>, BrokerError> {
    unimplemented!()
}
