//! What operators asked for, and who hears of it.

use super::Place;
use super::hand::LONG;
use super::shards::{Member, group};
use crate::broker::{Broker, BrokerError};
use crate::clock;
use crate::roster::{Roster, RosterAction, RosterEvent};

fn event(action: RosterAction) -> RosterEvent {
    RosterEvent::new(action, "suite", clock::now())
}

fn subscribe(symbol: &str) -> RosterEvent {
    event(RosterAction::Subscribe { symbol: symbol.into() })
}

fn unsubscribe(symbol: &str) -> RosterEvent {
    event(RosterAction::Unsubscribe { symbol: symbol.into() })
}

async fn append(broker: &dyn Broker, events: &[RosterEvent]) -> u64 {
    broker.roster_append(&group(), events).await.expect("append")
}

async fn catch_up(broker: &dyn Broker, roster: &mut Roster) -> bool {
    let news = broker.roster_since(&group(), roster.revision()).await.expect("since");
    roster.catch_up(&news);
    news.is_restart
}

/// At whatever time they look.
pub async fn everybody_replays_the_same_roster(place: Place) {
    let mut early = Roster::new(&["A", "B"]);
    assert!(!catch_up(&*place.one, &mut early).await);
    assert_eq!((early.revision(), early.symbols()), (0, vec!["A", "B"]));
    let first = append(&*place.one, &[subscribe("C"), subscribe("D"), unsubscribe("A")]).await;
    assert!(!catch_up(&*place.two, &mut early).await);
    assert_eq!((early.revision(), early.symbols()), (first, vec!["B", "C", "D"]));
    let second = append(&*place.two, &[unsubscribe("C"), event(RosterAction::Pause)]).await;
    assert!(first < second);
    let third = append(&*place.one, &[subscribe("E")]).await;
    assert!(second < third);
    let mut late = Roster::new(&["A", "B"]);
    for roster in [&mut early, &mut late] {
        assert!(!catch_up(&*place.two, roster).await);
        assert_eq!((roster.revision(), roster.symbols(), roster.is_paused()), (third, vec!["B", "E", "D"], true));
    }
    assert_eq!(early, late);
}

/// As if the reply had been lost: nobody is subscribed twice.
pub async fn a_repeated_append_adds_nothing(place: Place) {
    let events = [subscribe("A"), subscribe("A")];
    let revision = append(&*place.one, &events).await;
    assert_eq!(append(&*place.two, &events).await, revision);
    append(&*place.two, &[subscribe("B")]).await;
    append(&*place.two, &events).await;
    assert_eq!(append(&*place.one, &[]).await, append(&*place.two, &events).await);
    let mut roster = Roster::default();
    catch_up(&*place.one, &mut roster).await;
    assert_eq!((roster.count("A"), roster.count("B")), (2, 1));
}

/// All of them or none.
pub async fn an_append_is_limited(place: Place) {
    let events: Vec<RosterEvent> = (0..=RosterEvent::APPEND_MAX).map(|n| subscribe(&format!("S{n}"))).collect();
    let refused = place.one.roster_append(&group(), &events).await;
    assert!(matches!(&refused, Err(BrokerError::Unexpected { answer, .. }) if answer.contains("500")), "{refused:?}");
    let mut roster = Roster::default();
    catch_up(&*place.one, &mut roster).await;
    assert_eq!(roster, Roster::default());
}

/// Old events become one; who was there all the time and who comes new agree, and a repeated append is still known.
pub async fn a_long_roster_is_put_together_and_means_the_same(place: Place) {
    let base = ["S0", "S1", "X"];
    let (mut steady, mut lagging, mut left_behind) = (Roster::new(&base), Roster::new(&base), Roster::new(&base));
    let mut last: Vec<RosterEvent> = Vec::new();
    let mut is_short = false;
    for round in 0..8 {
        let symbol = |n: usize| format!("S{}", (n * 7 + round) % 90);
        last = (0..RosterEvent::APPEND_MAX)
            .map(|n| if n % 3 == 2 { unsubscribe(&symbol(n / 2)) } else { subscribe(&symbol(n)) })
            .collect();
        append(&*place.one, &last).await;
        catch_up(&*place.two, &mut steady).await;
        if round < 2 {
            catch_up(&*place.two, &mut left_behind).await;
        }
        if [0, 2, 4, 6].contains(&round) {
            catch_up(&*place.two, &mut lagging).await;
        }
        let kept = place.two.roster_since(&group(), 0).await.expect("since").events.len();
        assert!(kept <= RosterEvent::COMPACT_ABOVE, "{kept} events");
        is_short |= kept == RosterEvent::KEPT + 1;
    }
    assert!(is_short, "they were never put together");
    append(&*place.two, &last).await;
    append(&*place.two, &[event(RosterAction::Pause)]).await;
    let mut fresh = Roster::new(&base);
    assert!(!catch_up(&*place.one, &mut fresh).await);
    assert!(!catch_up(&*place.one, &mut steady).await);
    assert!(!catch_up(&*place.one, &mut lagging).await);
    assert!(catch_up(&*place.one, &mut left_behind).await, "its revision is gone");
    assert!(fresh.is_paused() && 10 < fresh.symbols().len());
    assert_eq!(steady.places(), fresh.places());
    assert_eq!(steady, fresh);
    assert_eq!(lagging, fresh);
    assert_eq!(left_behind, fresh);
}

/// A broker that lost its memory has another history.
pub async fn a_revision_of_another_life_means_a_restart(place: Place) {
    let mut roster = Roster::new(&["A"]);
    let revision = append(&*place.one, &[subscribe("B")]).await;
    catch_up(&*place.one, &mut roster).await;
    for stranger in [1, revision - 1, revision + 1, u64::MAX >> 11] {
        let news = place.two.roster_since(&group(), stranger).await.expect("since");
        assert!(news.is_restart, "{stranger}");
        assert_eq!((news.revision, news.events.len()), (revision, 1));
        roster.catch_up(&news);
        assert_eq!(roster.symbols(), ["A", "B"], "once, not twice");
    }
}

/// So listeners need not ask.
pub async fn a_grant_tells_the_rosters_revision(place: Place) {
    let member = Member::new(&place.one);
    assert_eq!(member.try_hold(2, LONG).await.expect("hold").revision, 0);
    for symbol in ["A", "B"] {
        let revision = append(&*place.two, &[subscribe(symbol)]).await;
        assert_eq!(member.try_hold(2, LONG).await.expect("hold").revision, revision);
    }
}
