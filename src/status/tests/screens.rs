//! What is shown for fixed inputs.

use super::*;

#[test]
fn the_screen_of_a_healthy_system() {
    insta::assert_snapshot!(plain(&Scene::healthy().look()), @r#"
    tidemill · redis://cache:6379/0 · ● HEALTHY · 2025-11-21 12:00:00 UTC

    FEED     2/2 live · 4,690,000 messages · freshest 12 ms · stalest 12 ms
    QUEUE    websocket_data · 184 waiting · oldest 41 ms · 500 leased · 0 delayed · 0 dead
    WORKERS  1 running · 12,402 tasks/s · commit p99 22 ms · 3 retried
    STORE    postgres://tidemill@db:5432/market · 250 prices · newest 22 ms ago · 42 MiB

    BALANCE  accepted 41,208,114 = settled 41,207,430 + waiting 184 + leased 500 + delayed 0 + dead 0 · lost 0
             ticks 41,207,430 = stored 30,000,000 + superseded 11,207,429 + legacy 0 + skipped 1 + expired 0

    CONN  FEED     STATE  SYMBOLS   MESSAGES  MSG/S  ERRORS  LAST MSG  RECONNECTS  LISTENER
       1  binance  live     50/50  2,345,000      -       0     12 ms           2  host-a/4120
       2  binance  live     50/50  2,345,000      -       0     12 ms           2  host-a/4120

    WORKER       BUSY  TASKS/S      BATCH  COMMIT P50    P99  RETRIES  DEAD  LEASES LOST     RSS
    host-a/4121   2/4   12,402  500/1,000        9 ms  22 ms        3     0            0  38 MiB
    "#);
}

#[test]
fn the_screen_says_what_is_wrong_and_what_to_do() {
    let scene = Scene::spoilt(|scene| {
        scene.census.ledger.dead = 2;
        scene.census.ledger.accepted += 2;
        scene.census.oldest_at = Some(ago(95_000));
        scene.listener = Some(listener(&[Link::Live, Link::Reconnecting]));
        scene.worker = None;
        scene.store = Store::Away { place: "postgres://db/market".into(), trouble: away() };
    });
    insta::assert_snapshot!(plain(&scene.look()), @r#"
    tidemill · redis://cache:6379/0 · ◐ DEGRADED · 2025-11-21 12:00:00 UTC

    FEED     1/2 live · 4,690,000 messages · freshest 12 ms · stalest 12 ms
    QUEUE    websocket_data · 184 waiting · oldest 95 s · 500 leased · 0 delayed · 2 dead
    WORKERS  none
    STORE    postgres://db/market · not available

    BALANCE  accepted 41,208,116 = settled 41,207,430 + waiting 184 + leased 500 + delayed 0 + dead 2 · lost 0
             ticks 41,207,430 = stored 30,000,000 + superseded 11,207,429 + legacy 0 + skipped 1 + expired 0

    CONN  FEED     STATE         SYMBOLS   MESSAGES  MSG/S  ERRORS  LAST MSG  RECONNECTS  LISTENER
       1  binance  live            50/50  2,345,000      -       0     12 ms           2  host-a/4120
       2  binance  reconnecting    50/50  2,345,000      -       0     12 ms           2  host-a/4120

    ! websocket_data: 2 dead letters
        fix  tidemill dead ls
    ! websocket_data: 184 tasks waiting and no worker is running
        fix  tidemill worker
    ! websocket_data: the oldest task has been waiting for 95 s
        fix  add workers
    ! connection 2 to binance is reconnecting: server closed (1006), next try in 800 ms
    ! cannot reach it: refused
        fix  start it
    "#);
}

#[test]
fn the_screen_says_who_needs_a_login_and_how() {
    let scene = Scene::spoilt(|scene| {
        let mut listener = listener(&[Link::NeedsLogin, Link::Live]);
        listener.connections[0].reason = Some("provider reports: the token has run out".into());
        listener.connections[0].next_attempt_at = None;
        scene.listener = Some(listener);
    });
    let look = scene.look();
    let screen = plain(&look);
    let lines: Vec<&str> = screen.lines().filter(|line| line.contains("login") || line.contains("fix ")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    FEED     1/2 live · 1 needs a login · 4,690,000 messages · freshest 12 ms · stalest 12 ms
       1  binance  needs_login    50/50  2,345,000      -       0     12 ms           2  host-a/4120
    ! binance needs a login, 1 connection waits for a token: provider reports: the token has run out
        fix  tidemill token set binance
    "#);
    let report = Report::of(&look, None);
    assert_eq!((report.state.exit(), report.connections[0].state), (Exit::Degraded, "needs_login"));
}

#[test]
fn the_screen_where_nothing_has_run_yet() {
    let look = Look {
        at: NOW,
        broker: "sqlite:./tidemill-data/queue.db".into(),
        desk: Ok(Desk::default()),
        store: Store::Nothing { place: "sqlite:./tidemill-data/market.db".into() },
    };
    insta::assert_snapshot!(plain(&look), @r#"
    tidemill · sqlite:./tidemill-data/queue.db · ● HEALTHY · 2025-11-21 12:00:00 UTC

    FEED     no listener
    QUEUE    none yet
    WORKERS  none
    STORE    sqlite:./tidemill-data/market.db · none yet

    BALANCE  accepted 0 = settled 0 + waiting 0 + leased 0 + delayed 0 + dead 0 · lost 0
             ticks 0 = stored 0 + superseded 0 + legacy 0 + skipped 0 + expired 0

    · nothing running
    "#);
}

#[test]
fn the_screen_without_a_broker_claims_no_balance() {
    insta::assert_snapshot!(plain(&unreachable()), @r#"
    tidemill · redis://cache:6379/0 · ○ UNREACHABLE · 2025-11-21 12:00:00 UTC

    STORE    postgres://tidemill@db:5432/market · 250 prices · newest 22 ms ago · 42 MiB

    ! cannot reach it: refused
        fix  start it
    "#);
    let json = serde_json::to_value(Report::of(&unreachable(), None)).unwrap();
    assert_eq!((&json["state"], &json["ledger"]), (&"unreachable".into(), &serde_json::Value::Null));
}

#[test]
fn gaps_are_shown_where_there_are_any() {
    let scene = Scene::spoilt(|scene| {
        let mut listener = listener(&[Link::Live, Link::Live]);
        let found = Continuity { gaps: 2, missing: 1_400, duplicates: 3, backwards: 1, unwatched: 0 };
        listener.connections[1].continuity = found;
        scene.listener = Some(listener);
        if let Store::Fine(census) = &mut scene.store {
            census.gaps = 2;
        }
    });
    let look = scene.look();
    let screen = plain(&look);
    let lines: Vec<&str> = screen
        .lines()
        .filter(|line| ["STORE", "CONN", "  ", "·"].iter().any(|start| line.starts_with(start)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    STORE    postgres://tidemill@db:5432/market · 250 prices · newest 22 ms ago · 42 MiB · 2 gaps
             ticks 41,207,430 = stored 30,000,000 + superseded 11,207,429 + legacy 0 + skipped 1 + expired 0
    CONN  FEED     STATE  SYMBOLS   MESSAGES  MSG/S  ERRORS  LAST MSG  RECONNECTS  GAPS  MISSING  DUPLICATES  BACKWARDS  LISTENER
       1  binance  live     50/50  2,345,000      -       0     12 ms           2     0        0           0          0  host-a/4120
       2  binance  live     50/50  2,345,000      -       0     12 ms           2     2    1,400           3          1  host-a/4120
    · listener host-a/4120: 2 gaps, 1,400 messages missing; tidemill gaps lists them
    "#);
    assert_eq!(Report::of(&look, None).state, State::Healthy, "what is past does not make it sick");
}

#[test]
fn the_json_form_is_frozen() {
    let report = serde_json::to_string_pretty(&Report::of(&Scene::healthy().look(), None)).unwrap();
    insta::assert_snapshot!("json", report);
}

#[test]
fn text_of_others_cannot_move_the_cursor() {
    let scene = Scene::spoilt(|scene| {
        let mut listener = listener(&[Link::Reconnecting]);
        listener.connections[0].reason = Some("\u{1b}]0;pwn\u{7}".into());
        scene.listener = Some(listener);
    });
    assert!(!plain(&scene.look()).contains(['\u{1b}', '\u{7}']));
}

/// The screen without colours.
fn plain(look: &Look) -> String {
    anstream::adapter::strip_str(&text::render(&Report::of(look, None))).to_string()
}
