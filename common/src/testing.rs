//! What tests of several crates share: private servers and conformance suites.

mod eventually;

pub use eventually::eventually;
