//! Settings: flag, then environment, then `tidemill.toml`, then default.
