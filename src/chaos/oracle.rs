//! Judges what is stored: nothing accepted is missing, nothing is invented, nothing is doubled, nothing went back.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::clock::UnixMicros;
use common::market::{Epoch, OrderKey};
use common::store::{HistoryRow, HistorySpan, InstrumentId, PriceStore, Slot, StoreError, StoredPrice};
use listener::exchange::{Numbered, numbered_price};

use super::witness::Run;

/// Rows of the history that are read at once.
const PAGE: u32 = 5_000;

/// Violations that are told one by one; all are counted.
const TOLD_MAX: usize = 5;

/// What was seen in one look.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Messages that somebody was told are safe.
    pub(super) accepted: u64,
    /// Of these, how many are in the history.
    pub(super) found: u64,
    /// Of these, how many are not.
    pub(super) missing: u64,
    /// Rows that break a promise, the first few in words.
    pub(super) violations: u64,
    pub(super) told: Vec<String>,
}

impl Findings {
    fn violation(&mut self, text: impl FnOnce() -> String) {
        self.violations += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push(text());
        }
    }
}

/// What is known of one symbol's trades or quotes.
#[derive(Debug, Clone, Copy)]
struct Newest {
    order: OrderKey,
    number: u64,
    price: u64,
}

/// Remembers, over all looks, what the tables must show by now.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    symbols: HashMap<InstrumentId, String>,
    newest: HashMap<(InstrumentId, bool), Newest>,
}

impl Oracle {
    /// Judges the messages of `runs`, which must all have ended; `elsewhere` are those that are no ticks or were given
    /// up.
    pub(super) async fn look(
        &mut self,
        store: &dyn PriceStore,
        runs: &BTreeMap<u64, Vec<Run>>,
        since: UnixMicros,
        elsewhere: &HashSet<OrderKey>,
    ) -> Result<Findings, StoreError> {
        let mut findings = Findings::default();
        let prices = store.prices().await?;
        self.symbols = prices.iter().map(|price| (price.row.instrument, symbol_of(price))).collect();
        let mut runs = runs.clone();
        self.add_unlogged(&prices, &mut runs);
        for (&epoch, runs) in &runs {
            let seen = self.read_epoch(store, (epoch, runs), since, &mut findings).await?;
            judge_runs(epoch, runs, &seen, elsewhere, &mut findings);
        }
        self.judge_prices(&prices, &mut findings);
        Ok(findings)
    }

    /// A listener that was killed between an enqueue and its note leaves messages that nobody was told of, perhaps of an
    /// epoch of their own. They may be stored, and then they are judged like all others.
    fn add_unlogged(&self, prices: &[StoredPrice], runs: &mut BTreeMap<u64, Vec<Run>>) {
        for price in prices {
            for (is_trade, slot) in [(true, Slot::LastPrice), (false, Slot::Bid)] {
                let Some(shown) = price.row.orders[slot as usize] else { continue };
                let known = self.newest.get(&(price.row.instrument, is_trade));
                if known.is_none_or(|known| known.order < shown) {
                    runs.entry(shown.epoch()).or_default();
                }
            }
        }
    }

    /// Every row of an epoch from the first of these messages on; returns their sequence numbers, ascending.
    async fn read_epoch(
        &mut self,
        store: &dyn PriceStore,
        (epoch, runs): (u64, &[Run]),
        since: UnixMicros,
        findings: &mut Findings,
    ) -> Result<Vec<u32>, StoreError> {
        let first = runs.iter().map(|run| run.first).min().unwrap_or(0);
        let key = |seq| Epoch::new(epoch).and_then(|epoch| OrderKey::new(epoch, seq));
        let (Some(mut from), Some(to)) = (key(first), key(OrderKey::SEQ_MAX)) else { return Ok(Vec::new()) };
        let mut seen = Vec::new();
        loop {
            let page = store.history(HistorySpan { from, to, since }, PAGE).await?;
            for row in &page {
                if seen.last() == Some(&row.order.seq()) {
                    findings.violation(|| format!("{} is in the history twice", row.order));
                }
                seen.push(row.order.seq());
                self.judge_row(row, findings);
            }
            let more = page.last().filter(|_| PAGE as usize == page.len());
            let Some(next) = more.and_then(|row| OrderKey::from_i64(row.order.get() + 1)) else { return Ok(seen) };
            from = next;
        }
    }

    /// The exchange said it, and it is newer than what this symbol showed before.
    fn judge_row(&mut self, row: &HistoryRow, findings: &mut Findings) {
        let Some(symbol) = self.symbols.get(&row.instrument) else {
            return findings.violation(|| format!("{} belongs to an instrument without a price", row.order));
        };
        let Some((is_trade, number, price)) = numbered(row) else {
            return findings.violation(|| format!("{} of {symbol} has no number: {row:?}", row.order));
        };
        let kind = if is_trade { Numbered::Trade } else { Numbered::Book };
        let said = numbered_price(symbol, kind, number);
        if said != price {
            findings.violation(|| format!("{} of {symbol}: number {number} was {said}, stored is {price}", row.order));
        }
        let newest = Newest { order: row.order, number, price };
        match self.newest.get_mut(&(row.instrument, is_trade)) {
            Some(before) if before.order < row.order => {
                if number <= before.number {
                    let (was, at) = (before.number, before.order);
                    findings
                        .violation(|| format!("{symbol} went from number {was} ({at}) to {number} ({})", row.order));
                }
                *before = newest;
            }
            Some(_) => {}
            None => drop(self.newest.insert((row.instrument, is_trade), newest)),
        }
    }

    /// The price table shows the newest of everything.
    fn judge_prices(&self, prices: &[StoredPrice], findings: &mut Findings) {
        for price in prices {
            let shown = |slot: Slot| price.row.orders[slot as usize];
            let last = (true, shown(Slot::LastPrice), price.row.fields.last_price.map(|price| price.to_string()));
            let bid = (false, shown(Slot::Bid), price.row.fields.bid_price.map(|price| price.to_string()));
            for (is_trade, order, value) in [last, bid] {
                let Some(newest) = self.newest.get(&(price.row.instrument, is_trade)) else { continue };
                let value = value.as_deref().and_then(hundred_millionths);
                if order != Some(newest.order) || value != Some(newest.price) {
                    let (symbol, wanted) = (symbol_of(price), newest.order);
                    findings.violation(|| format!("{symbol} shows {order:?} {value:?}, the newest is {wanted}"));
                }
            }
        }
    }
}

/// All messages of the runs are there.
fn judge_runs(epoch: u64, runs: &[Run], seen: &[u32], elsewhere: &HashSet<OrderKey>, findings: &mut Findings) {
    let mut wanted: Vec<u32> = runs.iter().flat_map(|run| run.first..=run.last).collect();
    wanted.sort_unstable();
    wanted.dedup();
    findings.accepted += wanted.len() as u64;
    for seq in wanted {
        let is_elsewhere = || Epoch::new(epoch).and_then(|epoch| OrderKey::new(epoch, seq));
        if seen.binary_search(&seq).is_ok() || is_elsewhere().is_some_and(|key| elsewhere.contains(&key)) {
            findings.found += 1;
        } else {
            findings.missing += 1;
            if findings.told.len() < TOLD_MAX {
                findings.told.push(format!("{epoch}:{seq} was accepted and is nowhere"));
            }
        }
    }
}

/// Trade or quote, its number, and its price in 10^-8.
fn numbered(row: &HistoryRow) -> Option<(bool, u64, u64)> {
    let fields = &row.fields;
    if let Some(last) = fields.last_price {
        return Some((true, u64::try_from(row.trade_id?).ok()?, hundred_millionths(&last.to_string())?));
    }
    let (bid, size) = (fields.bid_price?.to_string(), fields.bid_size?.to_string());
    Some((false, hundred_millionths(&size)?, hundred_millionths(&bid)?))
}

/// `12.5` in units of 10^-8.
fn hundred_millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{:0<8}", fraction.get(..fraction.len().min(8))?).parse().ok()
}

/// As the exchange spells it.
fn symbol_of(price: &StoredPrice) -> String {
    price.ticker_symbol.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_to_its_last_digit() {
        let read = ["1", "1.5", "1000.1234", "0.00000007", "1.5000", "x"].map(hundred_millionths);
        let wanted = [100_000_000, 150_000_000, 100_012_340_000, 7, 150_000_000].map(Some);
        assert_eq!(read, [wanted[0], wanted[1], wanted[2], wanted[3], wanted[4], None]);
    }

    #[test]
    fn an_accepted_message_that_is_nowhere_is_missing_unless_it_ended_elsewhere() {
        let (runs, mut findings) = ([Run { epoch: 7, first: 0, last: 3 }], Findings::default());
        let dead = HashSet::from([OrderKey::new(Epoch::new(7).unwrap(), 2).unwrap()]);
        judge_runs(7, &runs, &[0, 3], &dead, &mut findings);
        assert_eq!((findings.accepted, findings.found, findings.missing), (4, 3, 1));
        assert_eq!(findings.told, ["7:1 was accepted and is nowhere"]);
    }
}
