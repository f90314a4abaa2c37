//! Tokens from real sources: files, programs, databases, a server; and what a dead one leads to.

mod place;
mod sources;
mod vault;
