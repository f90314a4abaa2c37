//! Prices in PostgreSQL.

use std::sync::Arc;

use super::{PriceStore, StoreError, StoreOptions};

/// Connects to `postgres://` or `postgresql://`.
pub async fn connect(_url: &str, _options: StoreOptions) -> Result<Arc<dyn PriceStore>, StoreError> {
    unimplemented!()
}
