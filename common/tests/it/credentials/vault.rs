//! What a dead token leads to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::clock;
use common::credentials::{AfterRefusal, Token, Vault, VaultTimes};
use common::testing::eventually;
use secrecy::ExposeSecret;

use super::place::{Place, Server, patient};

const PATIENCE: Duration = Duration::from_secs(20);

async fn token(vault: &Vault) -> Token {
    vault.token().await.unwrap().unwrap()
}

/// A program that prints another token at every run, and the number of its runs.
const COUNTING: &str = r#"command = ["sh", "-c", "echo x >> {}/runs; wc -l < {}/runs | tr -d ' ' | sed s/^/t/"]"#;

fn runs(place: &Place) -> usize {
    std::fs::read_to_string(place.path("runs")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_feed_that_wants_none_gets_none() {
    let place = Place::new();
    let feed = common::feed::by_name("binance").unwrap();
    let vault = Vault::open(&place.settings(""), feed, &place.environment);
    assert!(vault.token().await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_token_in_the_file_is_seen_within_two_seconds() {
    let place = Place::new();
    place.write("token", "monday");
    let vault = Vault::new(Some(place.sources("file = \"{}/token\"")), patient());
    let monday = token(&vault).await;
    assert_eq!(vault.refused(monday.fingerprint), AfterRefusal::Refresh);
    let none = vault.token().await.unwrap_err();
    assert!(none.needs_login() && none.to_string().contains("was refused by the provider"), "{none}");
    assert_eq!(vault.refused(monday.fingerprint), AfterRefusal::NeedsLogin);

    let mut waiting = Box::pin(vault.changed(Some(monday.fingerprint)));
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err(), "the same token is no news");
    let written_at = clock::monotonic();
    place.write("token", "tuesday");
    assert_eq!(waiting.await.secret.expose_secret(), "tuesday");
    assert!(written_at.elapsed() < Duration::from_secs(2), "{:?}", written_at.elapsed());
    assert_eq!(token(&vault).await.secret.expose_secret(), "tuesday");
}

#[tokio::test]
async fn a_dead_token_asks_a_command_once_more_and_then_no_oftener_than_allowed() {
    let place = Place::new();
    let vault = place.vault(COUNTING);
    let first = token(&vault).await;
    assert_eq!(token(&vault).await.fingerprint, first.fingerprint, "a command is not run at every question");
    assert_eq!(runs(&place), 1);

    assert_eq!(vault.refused(first.fingerprint), AfterRefusal::Refresh);
    let second = token(&vault).await;
    assert_eq!((second.secret.expose_secret(), runs(&place)), ("t2", 2));
    assert_eq!(vault.refused(second.fingerprint), AfterRefusal::NeedsLogin);
    let waiting = vault.changed(Some(second.fingerprint));
    assert!(tokio::time::timeout(Duration::from_millis(300), waiting).await.is_err());
    assert_eq!(runs(&place), 2, "a command that gives bad tokens causes no storm");
}

#[tokio::test]
async fn questions_at_once_share_one_reading() {
    let place = Place::new();
    let server = Server::answering("200 OK", r#"{"access_token":"shared"}"#).await;
    let sources = place.sources(&format!("url = \"{}\"", server.url));
    let times = VaultTimes { far: Duration::ZERO, share: Duration::from_secs(5), ..patient() };
    let vault = Arc::new(Vault::new(Some(sources), times));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let vault = Arc::clone(&vault);
        asking.spawn(async move { token(&vault).await.fingerprint });
    }
    let fingerprints = asking.join_all().await;
    assert!(fingerprints.iter().all(|one| *one == fingerprints[0]));
    assert_eq!(server.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_slow_command_does_not_hide_a_new_token() {
    let place = Place::new();
    let vault = place.vault("file = \"{}/token\"\ncommand = [\"sh\", \"-c\", \"echo x > {}/runs; exec sleep 60\"]");
    let mut waiting = Box::pin(vault.token());
    eventually("the command runs", PATIENCE, async || {
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut waiting).await.is_err());
        runs(&place) == 1
    })
    .await;
    place.write("token", "by-hand");
    let token = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(token.secret.expose_secret(), "by-hand");
}

#[tokio::test]
async fn tokens_that_were_handed_out_are_taken_out_of_foreign_text() {
    let place = Place::new();
    let vault = place.vault("file = \"{}/token\"");
    for text in ["APP-100:CANARY-1", "APP-100:CANARY-2"] {
        place.write("token", text);
        token(&vault).await;
    }
    let shown = vault.redact("closed: APP-100:CANARY-1 is invalid, not CANARY-2");
    assert_eq!(shown, "closed: *** is invalid, not ***");
    assert!(!format!("{vault:?}").contains("CANARY"));
}
