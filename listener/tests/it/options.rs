//! Options that make no sense are refused before anything is opened.

use common::shutdown::Shutdown;
use listener::{ListenerOptions, Overflow, run};

use crate::memory_broker::MemoryBroker;
use crate::rig;
use crate::server::Server;

async fn refusal(symbols: &[&str], change: impl FnOnce(&mut ListenerOptions)) -> String {
    let server = Server::start().await;
    let mut options = rig::options(&server, symbols);
    change(&mut options);
    run(options, MemoryBroker::fresh(), Shutdown::new()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_listener_without_symbols_says_so() {
    assert_eq!(refusal(&[], |_| {}).await, "no symbol to subscribe");
    let all_bad = refusal(&["wh at"], |_| {}).await;
    assert!(all_bad.starts_with("no symbol to subscribe: 1 refused, e.g. \"wh at\": "), "{all_bad}");
}

#[tokio::test]
async fn an_unknown_channel_is_refused_with_the_known_ones() {
    let text = refusal(&["BTCUSDT"], |options| options.channels = vec!["trades".into()]).await;
    assert!(text.contains("\"trades\"") && text.contains("bookTicker"), "{text}");
}

#[tokio::test]
async fn the_spool_is_refused_without_a_folder() {
    let text = refusal(&["BTCUSDT"], |options| options.buffer.overflow = Overflow::Spool).await;
    assert_eq!(text, "overflow policy `spool` needs a folder to keep messages in");
}

#[tokio::test]
async fn an_endpoint_that_is_no_websocket_url_is_refused_without_showing_it() {
    let text = refusal(&["BTCUSDT"], |options| options.endpoint = Some("https://me:secret@x".into())).await;
    assert_eq!(text, r#"the endpoint is no WebSocket url: scheme "https" is neither ws nor wss"#);
}

#[tokio::test]
async fn a_limit_of_zero_is_refused_by_name() {
    let text = refusal(&["BTCUSDT"], |options| options.buffer.messages_max = 0).await;
    assert_eq!(text, "buffer_max must be at least 1");
}
