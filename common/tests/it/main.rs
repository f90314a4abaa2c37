//! What `common` does against files, servers and time.

mod captures;
mod symbols;
