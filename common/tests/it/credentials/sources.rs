//! Which source wins, and what the others say.

use std::sync::atomic::Ordering;

use common::clock;
use common::credentials::{Answer, Asked, CredentialSources, SourceKind};
use common::settings::Environment;
use common::store::{StoreOptions, connect};
use common::testing::{Durability, PostgresServer};
use secrecy::ExposeSecret;

use super::place::{Place, Server};

const ALL: &str = r#"
    file = "{}/token"
    variable = "FYERS_TOKEN"
    legacy_table = "dashboard_accesstoken"
    command = ["sh", "-c", "cat {}/printed"]
"#;

async fn ask(sources: &CredentialSources) -> Vec<Asked> {
    sources.ask(clock::now(), |_| false).await
}

/// The winner and its token.
async fn winner(sources: &CredentialSources) -> Option<(SourceKind, String)> {
    let asked = ask(sources).await;
    let last = asked.last()?;
    Some((last.source, last.token()?.secret.expose_secret().to_owned()))
}

#[tokio::test]
async fn sources_are_asked_in_their_order_and_the_first_token_wins() {
    let mut place = Place::new();
    place.environment = Environment::from([("FYERS_TOKEN", "by-variable")]);
    for (name, token) in [("printed", "by-command"), ("token", "by-file")] {
        place.write(name, token);
    }
    let without_file = ALL.replace("{}/token", "{}/missing");
    let without_variable = without_file.replace("FYERS_TOKEN", "NOT_SET");
    assert_eq!(winner(&place.sources(ALL)).await, Some((SourceKind::File, "by-file".into())));
    assert_eq!(winner(&place.sources(&without_file)).await, Some((SourceKind::Variable, "by-variable".into())));
    assert_eq!(winner(&place.sources(&without_variable)).await, Some((SourceKind::Command, "by-command".into())));

    let store = connect(&place.settings("").store.url, StoreOptions { connections: 1 }).await.unwrap();
    store.migrate().await.unwrap();
    store.add_token("fyers", &"by-table".into(), None).await.unwrap();
    assert_eq!(winner(&place.sources(&without_variable)).await, Some((SourceKind::Table, "by-table".into())));
}

#[tokio::test]
async fn each_source_without_a_token_says_why_by_name() {
    let place = Place::new();
    let server = Server::answering("401 Unauthorized", r#"{"error":"pin CANARY is wrong"}"#).await;
    let url = format!("url = \"{}/token?code=CANARY\"\nurl_method = \"post\"\nurl_body = \"CANARY\"", server.url);
    let asked = ask(&place.sources(&format!("{ALL}{url}"))).await;
    let said: Vec<String> = asked.iter().map(ToString::to_string).collect();
    let folder = place.path("").display().to_string();
    let folder = folder.trim_end_matches('/');
    for (said, expected) in said.iter().zip([
        format!("file {folder}/token: no such file"),
        "variable FYERS_TOKEN: not set".to_owned(),
        format!("table access_token at sqlite:{folder}/market.db: the store has no file yet"),
        format!("legacy_table dashboard_accesstoken at sqlite:{folder}/market.db: the store has no file yet"),
        "command sh: exit status: 1, it said: cat: ".to_owned(),
        format!("url {}/token?code=***: HTTP status 401: {{\"error\":\"pin *** is wrong\"}}", server.url),
    ]) {
        assert!(said.starts_with(&expected), "{said} is not {expected}");
    }
    assert_eq!(said.len(), 6);
    assert!(!format!("{asked:?}").contains("CANARY"), "{asked:?}");
    assert!(!place.path("market.db").exists(), "looking creates no database");
}

#[tokio::test]
async fn a_token_that_ran_out_or_was_refused_gives_way_to_the_next_source() {
    let place = Place::new();
    // {"exp":1}
    place.write("token", "APP-100:eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln");
    place.write("printed", "fresh");
    let sources = place.sources(ALL);
    let asked = ask(&sources).await;
    assert!(matches!(asked[0].answer, Answer::Expired { .. }), "{asked:?}");
    let fresh = asked.last().unwrap().token().unwrap().fingerprint;
    let asked = sources.ask(clock::now(), |fingerprint| fingerprint == fresh).await;
    assert!(matches!(asked.last().unwrap().answer, Answer::Refused(dead) if dead == fresh), "{asked:?}");
    assert!(sources.behind(&asked).is_empty());
}

#[tokio::test]
async fn a_server_is_asked_as_the_settings_say() {
    let place = Place::new();
    let server = Server::answering("200 OK", r#"{"data":{"token":"by-server","none":null,"number":1}}"#).await;
    let credentials = format!(
        "url = \"{}/v2/token\"\nurl_method = \"post\"\nurl_authorization = \"Bearer me\"\nurl_body = '{{\"pin\":1}}'\n",
        server.url
    );
    let at = |pointer: &str| place.sources(&format!("{credentials}url_pointer = \"{pointer}\""));
    assert_eq!(winner(&at("/data/token")).await, Some((SourceKind::Url, "by-server".into())));
    let request = &server.requests()[0];
    let lower = request.to_ascii_lowercase();
    assert!(request.starts_with("POST /v2/token HTTP/1.1") && request.ends_with("{\"pin\":1}"), "{request}");
    assert!(lower.contains("authorization: bearer me") && lower.contains("accept: application/json"), "{request}");
    for (pointer, said) in [
        ("/data/none", "the answer has null at /data/none"),
        ("/data/number", "the answer has no text at /data/number"),
        ("/nowhere", "the answer has no text at /nowhere"),
    ] {
        let asked = ask(&at(pointer)).await;
        assert!(asked.last().unwrap().to_string().ends_with(said), "{asked:?}");
    }
}

#[tokio::test]
async fn a_token_server_cannot_send_us_elsewhere() {
    let place = Place::new();
    let elsewhere = Server::answering("200 OK", r#"{"access_token":"stolen"}"#).await;
    let location = format!("302 Found\r\nLocation: {}/", elsewhere.url);
    let server = Server::answering(Box::leak(location.into_boxed_str()), "").await;
    let asked = ask(&place.sources(&format!("url = \"{}\"\nurl_authorization = \"CANARY\"", server.url))).await;
    assert!(asked.last().unwrap().to_string().ends_with("HTTP status 302"), "{asked:?}");
    assert_eq!(elsewhere.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn tables_of_a_server_are_read_anew_and_trouble_passes() {
    let place = Place::new();
    let server = PostgresServer::start(Durability::None).await;
    let url = server.database().await;
    let mut settings = place.settings("legacy_table = \"dashboard_accesstoken\"");
    settings.store.url = url.clone().into();
    let sources = CredentialSources::new(&settings, "fyers", &place.environment);
    let said = |asked: &[Asked]| asked.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let asked = ask(&sources).await;
    assert!(said(&asked).contains("run `tidemill migrate`") && !said(&asked).contains("only-for-tests"), "{asked:?}");

    let store = connect(&settings.store.url, settings.store.options()).await.unwrap();
    store.migrate().await.unwrap();
    common::testing::sql(&url, "CREATE TABLE dashboard_accesstoken (id serial, value text)").await;
    common::testing::sql(&url, "INSERT INTO dashboard_accesstoken (value) VALUES ('old system')").await;
    assert!(said(&ask(&sources).await).contains("a blank"), "no token has one");
    common::testing::sql(&url, "INSERT INTO dashboard_accesstoken (value) VALUES ('old-system')").await;
    assert_eq!(winner(&sources).await, Some((SourceKind::LegacyTable, "old-system".into())));
    store.add_token("fyers", &"ours".into(), None).await.unwrap();
    assert_eq!(winner(&sources).await, Some((SourceKind::Table, "ours".into())));
}
