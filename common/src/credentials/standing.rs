//! Which tokens are dead, and whether one more attempt is due. Pure: time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Fingerprint;

/// Refused tokens that are remembered. A source that gives an older one again costs one attempt.
const DEAD_MAX: usize = 16;

/// What to do after a provider has refused a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterRefusal {
    /// Read the sources anew and try the token they give: the one attempt that a dead token is good for.
    Refresh,
    /// Wait until a source has another token. More attempts could lock the account.
    NeedsLogin,
}

/// What the provider thinks of our tokens. All connections of a process share one.
///
/// ```text
///            refused, first in REFRESH_PAUSE            no other token, or that one is refused too
/// trusted ------------------------------> refreshing -------------------------------------> needs login
///    ^                                                                                           |
///    +------------------------------- another token was found <----------------------------------+
/// ```
#[derive(Debug, Default)]
pub struct Standing {
    /// Oldest first.
    dead: VecDeque<Fingerprint>,
    refreshed_at: Option<Instant>,
    needs_login: bool,
    /// Tokens that have died: what was read before is out of date.
    deaths: u64,
    /// Refreshes that were granted: what a command or a server said before is out of date.
    refreshes: u64,
}

impl Standing {
    /// A token that a refresh has brought and that is refused within this time is not followed by another refresh.
    /// Tokens live for hours; this keeps a command that gives bad tokens from knocking at the provider's door for ever.
    pub const REFRESH_PAUSE: Duration = Duration::from_mins(10);

    /// The provider refused this token. Several connections may report the same one: that counts once.
    pub fn refused(&mut self, fingerprint: Fingerprint, now: Instant) -> AfterRefusal {
        if !self.is_dead(fingerprint) {
            if self.dead.len() == DEAD_MAX {
                self.dead.pop_front();
            }
            self.dead.push_back(fingerprint);
            self.deaths += 1;
            let may_refresh = self.refreshed_at.is_none_or(|at| at + Self::REFRESH_PAUSE <= now);
            if may_refresh {
                self.refreshed_at = Some(now);
                self.refreshes += 1;
            }
            self.needs_login = !may_refresh;
        }
        if self.needs_login { AfterRefusal::NeedsLogin } else { AfterRefusal::Refresh }
    }

    /// A token that may be used was found.
    pub fn found(&mut self) {
        self.needs_login = false;
    }

    /// Every source was asked, and none has a token that may be used.
    pub fn found_none(&mut self) {
        self.needs_login = true;
    }

    /// Whether the provider has refused this token.
    pub fn is_dead(&self, fingerprint: Fingerprint) -> bool {
        self.dead.contains(&fingerprint)
    }

    /// Differs from an earlier answer when a token has died since.
    pub fn deaths(&self) -> u64 {
        self.deaths
    }

    /// Differs from an earlier answer when a refresh was granted since.
    pub fn refreshes(&self) -> u64 {
        self.refreshes
    }
}

#[cfg(test)]
mod tests {
    use super::AfterRefusal::{NeedsLogin, Refresh};
    use super::*;
    use crate::credentials::Token;

    fn token(name: &str) -> Fingerprint {
        Token::parse(name).unwrap().fingerprint
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_dead_token_is_good_for_one_refresh() {
        let (mut standing, t) = (Standing::default(), crate::clock::monotonic());
        assert_eq!(standing.refused(token("a"), t), Refresh);
        standing.found();
        assert_eq!(standing.refused(token("b"), t + secs(1)), NeedsLogin);
        assert!(standing.is_dead(token("a")) && standing.is_dead(token("b")) && !standing.is_dead(token("c")));
    }

    #[test]
    fn a_refresh_without_another_token_needs_a_login() {
        let (mut standing, t) = (Standing::default(), crate::clock::monotonic());
        assert_eq!(standing.refused(token("a"), t), Refresh);
        standing.found_none();
        assert_eq!(standing.refused(token("a"), t + secs(1)), NeedsLogin);
        standing.found();
        assert_eq!(standing.refused(token("a"), t + secs(2)), Refresh, "a late connection takes the new token");
    }

    #[test]
    fn connections_that_report_one_token_share_one_refresh() {
        let (mut standing, t) = (Standing::default(), crate::clock::monotonic());
        let reports = [0, 0, 1, 5].map(|late| standing.refused(token("a"), t + secs(late)));
        assert_eq!(reports, [Refresh; 4]);
        assert_eq!((standing.deaths(), standing.refreshes()), (1, 1));
        assert_eq!(standing.refused(token("b"), t + secs(6)), NeedsLogin);
        assert_eq!((standing.deaths(), standing.refreshes()), (2, 1));
        assert_eq!(standing.refused(token("a"), t + secs(7)), NeedsLogin);
    }

    #[test]
    fn the_next_days_token_has_a_refresh_of_its_own() {
        let (mut standing, t) = (Standing::default(), crate::clock::monotonic());
        standing.refused(token("monday"), t);
        standing.found();
        let just_before = Standing::REFRESH_PAUSE.checked_sub(secs(1)).unwrap();
        assert_eq!(standing.refused(token("typo"), t + just_before), NeedsLogin);
        standing.found();
        assert_eq!(standing.refused(token("tuesday"), t + secs(86_400)), Refresh);
    }

    #[test]
    fn the_memory_of_dead_tokens_is_bounded() {
        let (mut standing, t) = (Standing::default(), crate::clock::monotonic());
        for number in 0..100 {
            standing.refused(token(&format!("t{number}")), t);
        }
        assert_eq!(standing.dead.len(), DEAD_MAX);
        assert!(standing.is_dead(token("t99")) && !standing.is_dead(token("t0")));
    }
}
