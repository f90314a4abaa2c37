//! The token runs out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::clock;
use common::credentials::Vault;
use common::feed;
use common::presence::Link;
use common::settings::{Environment, SettingsFile, Sources, resolve};
use listener::exchange::Target;

use super::{Attempts, data_flows, each, for_a_while};
use crate::quick_feed::QuickFeed;
use crate::simulated::Simulated;

/// A token of Fyers that opens the socket with this key.
fn token(key: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"hsm_key":"{key}","exp":4102444800}}"#));
    format!("APP-100:e30.{claims}.x")
}

/// As in production, over one file.
fn vault(folder: &Path) -> Vault {
    let folder = folder.display();
    let text = format!("data_dir = \"{folder}\"\n[credentials]\nfile = \"{folder}/token\"\n");
    let file = Some(SettingsFile { path: "tidemill.toml".into(), text });
    let settings = resolve(&Sources { file, ..Sources::default() }).unwrap().settings;
    Vault::open(&settings, feed::by_name("fyers").unwrap(), &Environment::default())
}

#[tokio::test]
async fn an_expired_token_is_tried_once_and_a_new_one_in_the_file_resumes_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let write = |key| std::fs::write(folder.path().join("token"), token(key)).unwrap();
    write("monday");
    let exchange = Simulated::changed("fyers", |options, _| options.credential = Some(token("monday"))).await;
    let listening = exchange.listen(&exchange.symbols, |options| {
        options.feed = QuickFeed::of("fyers", |_| {});
        options.vault = Some(Arc::new(vault(folder.path())));
    });
    listening.live().await;
    data_flows(&listening).await;

    let attempts = Attempts::from_now(&listening);
    exchange.controls.set_credential(Some(token("tuesday")));
    exchange.controls.close(Target::Everyone, 1000, "the token has expired").await.unwrap();
    let waiting = listening.until("needs a login", |state| state.state == Link::NeedsLogin).await;
    for state in &waiting {
        let reason = state.reason.as_deref().unwrap();
        assert!(reason.contains("refused") && !reason.contains(&token("monday")), "{reason}");
        assert!((2..=3).contains(&state.attempts), "the first, a refused one and a refresh at most: {state:?}");
    }
    eprintln!("reason: {}", waiting[0].reason.as_deref().unwrap());
    for_a_while(&listening, Duration::from_secs(3), |state| state.state == Link::NeedsLogin).await;
    let knocked = attempts.told("expired token", &listening);
    assert!(knocked <= 10, "{knocked}");

    write("tuesday");
    let written_at = clock::monotonic();
    let live = listening.live().await;
    let took = written_at.elapsed();
    eprintln!("expired token: all {} connections are live {took:.2?} after the new one was written", live.len());
    assert!(took < Duration::from_secs(2), "{took:?}");
    data_flows(&listening).await;
    let more = |(now, before): (u64, u64)| now - before;
    let tried = each(&live, |state| state.attempts).into_iter().zip(each(&waiting, |state| state.attempts)).map(more);
    assert_eq!(tried.collect::<Vec<_>>(), [1; 5]);
    assert_eq!(each(&live, |state| state.reconnects), [1; 5]);
    listening.stop().await;
    exchange.stop();
}
