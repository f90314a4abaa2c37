//! The table of the providers' tokens, in the same database as the prices.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use super::StoreError;
use crate::clock::UnixMicros;

/// Tokens kept per feed: enough to see when they changed, too few to be a store of old secrets.
pub const TOKENS_KEPT: u32 = 10;

/// A token as a table holds it.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The token.
    pub value: SecretString,
    /// When it runs out, if whoever stored it said so.
    pub expires_at: Option<UnixMicros>,
    /// When it was stored; the replaced system's table does not say.
    pub created_at: Option<UnixMicros>,
}

/// `access_token` of a store. Every store has it beside its prices.
#[async_trait]
pub trait TokenTable: Send + Sync + Debug {
    /// The token of `feed` that was stored last; the row's id decides, so that a clock that was set back hides nothing.
    async fn newest_token(&self, feed: &str) -> Result<Option<StoredToken>, StoreError>;

    /// Stores a token of `feed`. Of its older ones, all but the last are deleted: [`TOKENS_KEPT`] remain.
    async fn add_token(
        &self,
        feed: &str,
        value: &SecretString,
        expires_at: Option<UnixMicros>,
    ) -> Result<(), StoreError>;

    /// The token that was stored last in `table`, the replaced system's: columns `id` and `value`. A schema may stand
    /// before the name and a dot.
    async fn legacy_token(&self, table: &str) -> Result<Option<StoredToken>, StoreError>;
}

/// The question for a legacy token. The name is quoted, so it is a name whatever it holds.
pub(super) fn legacy_query(table: &str) -> String {
    let name: Vec<String> = table.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    format!("SELECT value FROM {} ORDER BY id DESC LIMIT 1", name.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legacy_name_is_a_name_whatever_it_holds() {
        assert_eq!(
            legacy_query("app.dashboard_accesstoken"),
            "SELECT value FROM \"app\".\"dashboard_accesstoken\" ORDER BY id DESC LIMIT 1"
        );
        assert!(legacy_query("x\"; DROP TABLE y; --").contains("FROM \"x\"\"; DROP TABLE y; --\" ORDER"));
    }
}
