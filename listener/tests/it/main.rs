//! Integration tests of the listener: one file per behaviour.

mod exchange;
