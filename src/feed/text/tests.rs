use common::broker::shards::{ShardLease, ShardMap, ShardOwner};
use common::presence::{ConnectionState, InstanceId, Link, ListenerState, Part, Presence};
use common::roster::{Roster, RosterAction, RosterEvent};

use super::*;

const NOW: UnixMicros = UnixMicros(1_763_726_400_000_000);

fn instance(last: char) -> InstanceId {
    InstanceId::parse(&format!("0198c5d07d2e7c55a7bb01234567890{last}")).unwrap()
}

fn presence(instance: InstanceId, connections: Vec<ConnectionState>) -> Presence {
    Presence {
        instance,
        host: "host-a".into(),
        pid: 4121,
        life: None,
        version: "0.1.0".into(),
        started_at: NOW,
        beat_at: NOW,
        memory_bytes: 0,
        cpu_us: 0,
        part: Part::Listener(ListenerState { connections, ..ListenerState::default() }),
    }
}

fn connection(symbols: u64, confirmed: u64, refused: &[(&str, &str)]) -> ConnectionState {
    ConnectionState {
        attempts: 1,
        continuity: common::presence::Continuity::default(),
        is_market_open: None,
        conn: 1,
        feed: "binance".into(),
        state: Link::Live,
        symbols,
        confirmed,
        messages: 0,
        errors: 0,
        last_frame_at: None,
        last_message_at: None,
        reconnects: 0,
        reason: None,
        next_attempt_at: None,
        refused: refused.iter().map(|(symbol, reason)| ((*symbol).into(), (*reason).into())).collect(),
    }
}

#[test]
fn a_group_shows_its_symbols_its_shards_and_its_listeners() {
    let [one, two] = ['1', '2'].map(instance);
    let after = |secs| NOW.after(std::time::Duration::from_secs(secs));
    let owner = |owner, plan, deadline| ShardOwner { owner, plan, deadline };
    let lease = |shard, owner| ShardLease { shard, owner, since: NOW, deadline: after(5) };
    let map = ShardMap {
        owners: vec![owner(one, 6, after(5)), owner(two, 5, NOW)],
        shards: vec![lease(0, one), lease(1, one), lease(2, one), lease(4, two)],
    };
    let presences =
        [presence(one, vec![connection(50, 49, &[("FOO\u{1b}", "no such symbol")]), connection(100, 100, &[])])];
    let mut roster = Roster::new(&["BTCUSDT", "FOO\u{1b}"]);
    roster.apply(&RosterEvent::new(RosterAction::Pause, "", NOW));
    let view = GroupView::of("binance".parse().unwrap(), true, &roster, &map, &presences);
    insta::assert_snapshot!(render(&view, NOW), @r#"
    binance  paused
      symbols   2 desired, 150 carried, 149 confirmed, 1 refused
      shards    6 shards, nobody holds 3, 5; listeners disagree: different settings, or one is about to follow
      refused   FOO\u{1b}: no such symbol
      LISTENER                          PROCESS      SHARDS  SYMBOLS  CONFIRMED    LEASE
      0198c5d07d2e7c55a7bb012345678901  host-a/4121  0-2         150        149    5.0 s
      0198c5d07d2e7c55a7bb012345678902  -            4             0          0  ran out
    "#);
    let nobody = GroupView::of("fyers".parse().unwrap(), false, &Roster::default(), &ShardMap::default(), &[]);
    insta::assert_snapshot!(render(&nobody, NOW), @r#"
    fyers  open
      symbols   0 desired beside the settings of its listeners, which are not ours, 0 carried, 0 confirmed, 0 refused
      shards    none
      no listener
    "#);
}

#[test]
fn neighbours_are_one_range() {
    assert_eq!(ranges(&[0, 1, 2, 4, 7, 8]), "0-2, 4, 7-8");
    assert_eq!(ranges(&[]), "");
}
