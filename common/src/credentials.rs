//! Tokens of the providers: where they are read, when they are read again, and what is done about a refused one.
//!
//! [`CredentialSources`] asks, in this order: a file, an environment variable, the table `access_token`, the replaced
//! system's table, a command, an HTTP server. The first token that is neither run out nor refused wins. [`Vault`] shares
//! that between the connections of a process:
//!
//! ```no_run
//! # async fn connect(vault: &common::credentials::Vault) -> Result<(), common::credentials::NoToken> {
//! use common::credentials::AfterRefusal;
//!
//! let token = vault.token().await?; // at every attempt
//! // ... the provider refuses it:
//! if let Some(token) = token {
//!     match vault.refused(token.fingerprint) {
//!         AfterRefusal::Refresh => {} // connect again; `token` asks every source anew
//!         AfterRefusal::NeedsLogin => drop(vault.changed(Some(token.fingerprint)).await), // a person acts
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! No token is ever logged or shown: a [`Fingerprint`] tells tokens apart, and [`Vault::redact`] takes them out of
//! foreign text.

mod answer;
mod command;
mod file;
mod sources;
mod standing;
mod table;
mod token;
mod url;
mod vault;

pub use answer::{Answer, Asked, NoToken, SourceKind};
pub use sources::CredentialSources;
pub use standing::{AfterRefusal, Standing};
pub use token::{BadToken, Fingerprint, Token};
pub use vault::{Vault, VaultTimes};
