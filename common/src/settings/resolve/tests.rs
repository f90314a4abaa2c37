//! Precedence, origins, and all problems at once.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn what_differs_is_named_and_a_changed_password_differs() {
    let of = |environment| resolve(&Sources { environment, ..Sources::default() }).unwrap().resolved;
    let before = of(Environment::from([
        ("REDIS_URL", "redis://:one@h"),
        ("TIDEMILL_WORKER__LEASE", "15s"),
        ("RUST_LOG", "info"),
    ]));
    let after = of(Environment::from([
        ("REDIS_URL", "redis://:two@h"),
        ("TIDEMILL_WORKER__LEASE", "15000ms"),
        ("RUST_LOG", "debug"),
    ]));
    assert_eq!(before.changed(&after), ["broker.url", "log.level"]);
    assert!(before.changed(&before).is_empty());
}
use crate::settings::kind::Kind;
use crate::settings::{Overflow, duration, size};

fn file(text: &str) -> SettingsFile {
    SettingsFile { path: "tidemill.toml".into(), text: text.to_owned() }
}

fn origin_of(loaded: &Loaded, key: &str) -> String {
    loaded.resolved.entry(key).origin.to_string()
}

#[test]
fn nothing_given_means_defaults_that_need_no_service() {
    let loaded = resolve(&Sources::default()).unwrap();
    let Settings { broker, store, queue, worker, listener, .. } = &loaded.settings;
    assert_eq!(broker.url.expose_secret(), "sqlite:./tidemill-data/queue.db");
    assert_eq!(store.url.expose_secret(), "sqlite:./tidemill-data/market.db");
    assert_eq!((queue.name.as_str(), queue.age_max), ("websocket_data", None));
    assert_eq!((worker.concurrency, worker.batch_tasks, worker.batch_bytes), (16, 2_000, 2 << 20));
    assert_eq!((listener.symbols_per_connection, listener.max_symbols), (50, 250));
    assert_eq!((listener.overflow, &listener.endpoint), (Overflow::Merge, &None));
    assert!(loaded.resolved.entries().iter().all(|entry| entry.origin == Origin::Default));
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let mut sources = Sources::default();
    let mut seen = Vec::new();
    let mut look = |sources: &Sources| {
        let loaded = resolve(sources).unwrap();
        seen.push((loaded.settings.worker.concurrency, origin_of(&loaded, "worker.concurrency")));
    };
    look(&sources);
    sources.file = Some(file("[worker]\nconcurrency = 5"));
    look(&sources);
    sources.environment = Environment::from([("TIDEMILL_WORKER__CONCURRENCY", "6")]);
    look(&sources);
    sources.flags = Flags::new().set("worker.concurrency", "--concurrency", Some(7));
    look(&sources);
    let expected = [
        (16, "default".to_owned()),
        (5, "tidemill.toml:2:15".to_owned()),
        (6, "environment TIDEMILL_WORKER__CONCURRENCY".to_owned()),
        (7, "flag --concurrency".to_owned()),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn our_own_variables_beat_the_ones_everybody_knows() {
    let environment = Environment::from([
        ("REDIS_URL", "redis://theirs"),
        ("TIDEMILL_BROKER__URL", "redis://ours"),
        ("DATABASE_URL", "postgres://db/m"),
    ]);
    let loaded = resolve(&Sources { environment, ..Sources::default() }).unwrap();
    assert_eq!(loaded.settings.broker.url.expose_secret(), "redis://ours");
    assert_eq!(loaded.settings.store.url.expose_secret(), "postgres://db/m");
    assert_eq!(origin_of(&loaded, "store.url"), "environment DATABASE_URL");
}

#[test]
fn the_embedded_files_follow_the_data_dir() {
    let environment = Environment::from([("TIDEMILL_DATA_DIR", "/var/lib/tidemill"), ("REDIS_URL", "redis://h")]);
    let loaded = resolve(&Sources { environment, ..Sources::default() }).unwrap();
    assert_eq!(loaded.settings.store.url.expose_secret(), "sqlite:/var/lib/tidemill/market.db");
    assert_eq!(loaded.settings.broker.url.expose_secret(), "redis://h");
}

#[test]
fn the_replaced_systems_flags_are_bare_seconds() {
    let flags = Flags::new()
        .set("listener.stocks_per_connection", "--stocks-per-connection", Some("40"))
        .set("listener.connection_delay", "--connection-delay", Some("3"))
        .set("listener.monitor_interval", "--monitor-interval", Some("30"))
        .set("listener.litemode", "--litemode", Some(true))
        .set("listener.max_symbols", "--max-stocks", None::<String>);
    let listener = resolve(&Sources { flags, ..Sources::default() }).unwrap().settings.listener;
    assert_eq!((listener.symbols_per_connection, listener.max_symbols, listener.litemode), (40, 250, true));
    assert_eq!(
        (listener.connection_delay, listener.monitor_interval),
        (Duration::from_secs(3), Duration::from_secs(30))
    );
}

#[test]
fn all_problems_are_reported_together() {
    let sources = Sources {
        flags: Flags::new().set("worker.lease", "--lease", Some("1s")),
        environment: Environment::from([("TIDEMILL_WORKER__BATCH_TASKS", "5001"), ("TIDEMILL_LOG__LEVLE", "info")]),
        file: Some(file("[worker]\nretry_first = \"2m\"\n[listenr]\nsymbols = []\n")),
    };
    let problems = resolve(&sources).unwrap_err().problems;
    let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(
        said,
        [
            "tidemill.toml:3:2: unknown key `listenr` (did you mean `listener`?)",
            "environment TIDEMILL_LOG__LEVLE: unknown variable `TIDEMILL_LOG__LEVLE` (did you mean `TIDEMILL_LOG__LEVEL`?)",
            "environment TIDEMILL_WORKER__BATCH_TASKS: `worker.batch_tasks` must be a whole number from 1 to 5000, not `5001`",
            "flag --lease: `worker.lease` must be a duration from 2s to 1h, such as `500ms`, `3s`, `2m` or bare seconds, not `1s`",
            "tidemill.toml:2:15: `worker.retry_longest` (\"1m\") must not be smaller than `worker.retry_first` (\"2m\", worker.retry_longest by default)",
        ]
    );
}

#[test]
fn a_url_cannot_be_a_flag() {
    let flags = Flags::new().set("broker.url", "--broker", Some("redis://:CANARY@h"));
    let error = resolve(&Sources { flags, ..Sources::default() }).unwrap_err();
    assert!(error.is_usage() && !error.to_string().contains("CANARY"), "{error}");
}

#[test]
fn the_typed_settings_hold_the_ends_of_every_range() {
    for largest in [false, true] {
        let mut flags = Flags::new();
        for setting in TABLE {
            let text = if let Kind::Count { min, max } = setting.kind {
                if largest { max } else { min }.to_string()
            } else if let Kind::Bytes { min, max } = setting.kind {
                size::format(if largest { max } else { min })
            } else if let Kind::Time { min, max } = setting.kind {
                duration::format(if largest { max } else { min })
            } else {
                continue;
            };
            flags = flags.set(setting.key, "--end", Some(text));
        }
        let settings = resolve(&Sources { flags, ..Sources::default() }).unwrap().settings;
        assert_eq!(settings.worker.batch_tasks, if largest { 5_000 } else { 1 });
    }
}

#[test]
fn nothing_shows_a_password() {
    let environment =
        Environment::from([("REDIS_URL", "redis://u:CANARY@h"), ("DATABASE_URL", "postgres://u:CANARY@h/d")]);
    let loaded = resolve(&Sources { environment, ..Sources::default() }).unwrap();
    assert!(!format!("{loaded:?}").contains("CANARY"));
    let shown: Vec<String> = loaded.resolved.entries().iter().map(|entry| entry.value.to_string()).collect();
    assert!(!shown.concat().contains("CANARY"));
    assert!(shown.contains(&"\"postgres://u:***@h/d\"".to_owned()));
}
