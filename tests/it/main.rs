//! The command line as its users run it: the real binary, its output and its exit codes.

mod bench;
mod configuration;
mod context;
mod output;
mod symbols;
