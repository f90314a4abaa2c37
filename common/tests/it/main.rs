//! What `common` does against files, servers and time.

mod binance;
mod captures;
mod symbols;
