use super::*;
use crate::settings::{Sources, resolve};

const WHOLE: &str = r#"
[feed.acme]
url = "wss://stream.example/v1?key={credential}"
headers = { X-Key = "Bearer {credential}" }
subscribe = ['{"op":"auth","key":"{credential}"}', '{"op":"sub","args":{symbols}}']
unsubscribe = '{"op":"unsub","args":{symbols}}'
heartbeat = '{"op":"ping"}'
heartbeat_interval = 5
symbols_per_message = 20
connections = 3
events = "/data"
only = { "/type" = "trade", "/v" = 2, "/live" = true }
symbol = "/s"
price = "/p"
bid_size = "/q/0/1"
time = "/t"
time_unit = "us"
confirm = { "/type" = "subscribed" }
confirm_symbols = "/symbols"
refuse = { "/type" = "error" }
refuse_reason = "/why"
exchange = "acme"
kind = "spot"
"#;

fn problems(text: &str) -> Vec<String> {
    let file = SettingsFile { path: "tidemill.toml".into(), text: text.to_owned() };
    match resolve(&Sources { file: Some(file), ..Sources::default() }) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_whole_description_is_read() {
    let file = SettingsFile { path: "tidemill.toml".into(), text: WHOLE.to_owned() };
    let settings = resolve(&Sources { file: Some(file), ..Sources::default() }).unwrap().settings;
    let [acme] = &settings.feeds[..] else { panic!("{:?}", settings.feeds) };
    assert_eq!((&*acme.name, &*acme.exchange, acme.subscribe.len()), ("acme", "ACME", 2));
    assert_eq!((acme.connections_max, acme.symbols_per_connection, acme.symbols_per_message), (Some(3), 100, 20));
    assert_eq!((acme.only.len(), acme.values.len(), acme.headers.len()), (3, 2, 1));
    assert_eq!(acme.heartbeat_interval.as_secs(), 5);
    assert!(acme.time.is_some() && acme.confirm.is_some() && acme.refuse.is_some() && acme.unsubscribe.len() == 1);
}

#[test]
fn the_least_description_says_where_to_connect_what_to_ask_and_where_the_price_is() {
    let least =
        "[feed.a]\nurl = \"wss://h\"\nsubscribe = \"{symbol}\"\nsymbol = \"/s\"\nprice = \"/p\"\nexchange = \"X\"";
    assert!(problems(least).is_empty(), "{:?}", problems(least));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_where() {
    let text = "\
[feed.acme]
url = 7
subscribe = '{\"args\":{sybmols}}'
symbl = \"/s\"
price = \"p\"
time_unit = \"minutes\"
only = { \"type\" = \"trade\" }
refuse_reason = \"/why\"
headers = { \"bad name\" = \"x\" }
";
    let said = problems(text);
    let wanted = [
        ("tidemill.toml:2:7", "`feed.acme.url`: it must be text"),
        ("tidemill.toml:3:13", "there is no {sybmols} to fill in"),
        ("tidemill.toml:4:1", "did you mean `symbol`?"),
        ("tidemill.toml:5:9", "a JSON pointer begins with `/`"),
        ("tidemill.toml:6:13", "one of s, ms, us, ns, rfc3339"),
        ("tidemill.toml:7:8", "\"type\""),
        ("tidemill.toml:9:11", "\"bad name\" is no name of a header"),
        ("tidemill.toml:1:7", "lacks `symbol`"),
        ("tidemill.toml:1:7", "lacks `exchange`"),
        ("tidemill.toml:1:7", "has `refuse_reason` without `refuse`"),
    ];
    for (place, part) in wanted {
        assert!(said.iter().any(|said| said.contains(place) && said.contains(part)), "{place} {part}: {said:#?}");
    }
    assert_eq!(said.len(), wanted.len(), "{said:#?}");
}

#[test]
fn a_feed_that_asks_for_nothing_or_gives_nothing_is_refused() {
    let text = "[feed.a]\nurl = \"https://h\"\nsubscribe = \"all\"\nsymbol = \"/s\"\nexchange = \"X\"";
    let said = problems(text);
    assert!(said.iter().any(|said| said.contains("never asks for a symbol")), "{said:?}");
    assert!(said.iter().any(|said| said.contains("no WebSocket's")), "{said:?}");
    assert!(said.iter().any(|said| said.contains("says of no value where it lies")), "{said:?}");
}

#[test]
fn a_name_is_a_word_and_not_that_of_a_built_in_feed() {
    for (name, part) in [("binance", "built-in"), ("\"My Feed\"", "no name"), ("Acme", "no name")] {
        let said = problems(&WHOLE.replace("feed.acme", &format!("feed.{name}")));
        assert!(said.len() == 1 && said[0].contains(part), "{said:?}");
    }
    assert!(problems("[feed]\nacme = 1")[0].contains("is a section"));
    assert!(problems("[feeds.acme]\nurl = \"x\"")[0].contains("did you mean `feed`?"));
}

#[test]
fn nothing_secret_is_in_a_problem_or_a_description() {
    let text = WHOLE.replace("wss://stream.example", "wss://CANARY").replace("Bearer", "CANARY");
    let file = SettingsFile { path: "tidemill.toml".into(), text: text.clone() };
    let loaded = resolve(&Sources { file: Some(file), ..Sources::default() }).unwrap();
    assert!(!format!("{loaded:?}").contains("CANARY"));
    let broken = text.replace("{credential}", "{secret}");
    assert!(!problems(&broken).concat().contains("CANARY"), "{:?}", problems(&broken));
}

#[test]
fn every_default_is_allowed_and_every_key_is_said_once() {
    for (index, key) in KEYS.iter().enumerate() {
        if let Form::Plain(kind) = key.form {
            assert!(kind.read(key.default).is_some(), "{}", key.name);
        }
        assert!(!key.doc.is_empty() && !key.doc.ends_with('.'), "{}", key.name);
        assert!(KEYS[index + 1..].iter().all(|other| other.name != key.name), "{}", key.name);
    }
    for (word, _) in KINDS {
        let given = KEYS.iter().find(|key| key.name == "kind").map(|key| key.form);
        assert!(matches!(given, Some(Form::Plain(kind)) if kind.read(word).is_some()), "{word}");
    }
}
