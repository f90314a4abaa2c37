//! The HTTP client of all parts: small and blocking, every limit spelled out. Calls belong on a thread of their own.

use std::time::Duration;

use ureq::Agent;

/// From the first packet to an open connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Hops from an address to the one it moved to.
const REDIRECTS_MAX: u32 = 3;

/// A client whose requests take no longer than `patience`, from the first packet to the end of the answer. Statuses
/// of 400 and above are answers, no errors: providers explain themselves there.
pub fn agent(patience: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(patience))
        .timeout_connect(Some(CONNECT_MAX.min(patience)))
        .http_status_as_error(false)
        .max_redirects(REDIRECTS_MAX)
        .user_agent(concat!("tidemill/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// The error in words, without the address: that may hold a secret.
pub fn without_url(error: &ureq::Error) -> String {
    if matches!(error, ureq::Error::BadUri(_)) { "the address is no URL".to_owned() } else { error.to_string() }
}
