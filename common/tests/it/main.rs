//! Tests of the shared parts against real servers and files.

mod store_postgres;
mod store_sqlite;
