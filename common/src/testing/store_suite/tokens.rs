//! The providers' tokens.

use secrecy::{ExposeSecret, SecretString};

use super::Subject;
use crate::clock::UnixMicros;
use crate::store::TOKENS_KEPT;

fn secret(text: &str) -> SecretString {
    text.into()
}

/// By whom and however fast it was stored.
pub async fn the_newest_token_of_a_feed_counts(subject: &Subject) {
    let [first, second] = &subject.handles;
    assert!(first.newest_token("fyers").await.unwrap().is_none());
    let expires_at = Some(UnixMicros(1_764_109_800_000_000));
    first.add_token("fyers", &secret("one"), None).await.unwrap();
    second.add_token("fyers", &secret("two"), expires_at).await.unwrap();
    first.add_token("upstox", &secret("another's"), None).await.unwrap();
    let newest = first.newest_token("fyers").await.unwrap().unwrap();
    assert_eq!((newest.value.expose_secret(), newest.expires_at), ("two", expires_at));
    let age = newest.created_at.unwrap().age_at(crate::clock::now());
    assert!(age.as_secs() < 60, "stored {age:?} ago");
    assert!(!format!("{newest:?}").contains("two"), "{newest:?}");
}

/// Somebody stored a token while the clock ran ahead.
pub async fn a_clock_that_was_set_back_hides_no_token(subject: &Subject) {
    subject.store().add_token("fyers", &secret("from the future"), None).await.unwrap();
    let later = "UPDATE access_token SET created_at = created_at + ";
    let is_postgres = subject.store().census().await.unwrap().kind == "postgres";
    let hour = if is_postgres { "interval '1 hour'" } else { "3600000000" };
    subject.column(&format!("{later}{hour} RETURNING feed AS value")).await;
    subject.store().add_token("fyers", &secret("now"), None).await.unwrap();
    let newest = subject.handles[1].newest_token("fyers").await.unwrap().unwrap();
    assert_eq!(newest.value.expose_secret(), "now");
}

/// Old secrets are of no use to anybody but a thief.
pub async fn old_tokens_are_deleted_feed_by_feed(subject: &Subject) {
    subject.store().add_token("upstox", &secret("kept"), None).await.unwrap();
    for number in 0..TOKENS_KEPT + 5 {
        subject.store().add_token("fyers", &secret(&format!("token {number}")), None).await.unwrap();
    }
    let kept = subject.column("SELECT value FROM access_token WHERE feed = 'fyers' ORDER BY id").await;
    assert_eq!(kept.len(), usize::try_from(TOKENS_KEPT).unwrap());
    assert_eq!(kept.last().unwrap().as_deref(), Some(&*format!("token {}", TOKENS_KEPT + 4)));
    assert!(subject.store().newest_token("upstox").await.unwrap().is_some());
}

/// `dashboard_accesstoken(value)`.
pub async fn the_replaced_systems_table_is_read(subject: &Subject) {
    let table = "dashboard_accesstoken";
    let missing = subject.store().legacy_token(table).await.unwrap_err();
    assert!(missing.is_transient(), "{missing}");
    subject.column(&format!("CREATE TABLE {table} (id integer PRIMARY KEY, value text)")).await;
    assert!(subject.store().legacy_token(table).await.unwrap().is_none());
    for row in ["(1, 'old')", "(7, 'new')", "(3, 'older')"] {
        subject.column(&format!("INSERT INTO {table} VALUES {row} RETURNING value")).await;
    }
    let newest = subject.store().legacy_token(table).await.unwrap().unwrap();
    assert_eq!((newest.value.expose_secret(), newest.created_at), ("new", None));
    let strange = subject.store().legacy_token("no\"such; table").await.unwrap_err();
    assert!(strange.is_transient(), "{strange}");
}
