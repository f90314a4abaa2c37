//! The command line as its users run it, and the whole system: the real binary, its output and its exit codes.

mod bench;
mod configuration;
mod context;
mod feed;
mod output;
mod symbols;
mod system;
mod tokens;
