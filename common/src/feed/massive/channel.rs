//! What to subscribe: `T` of `AAPL` is the stream `T.AAPL` of the stocks' cluster.

use std::collections::HashSet;

use crate::feed::massive::NAME;
use crate::feed::{FeedError, SymbolError, Topic};
use crate::market::symbol::massive::{Cluster, streamed};

use Cluster::{Crypto, Forex, Indices, Options, Stocks};

/// Stands for all symbols of a cluster.
const ALL: &str = "*";

/// Every channel, and the clusters that have it. For `*` the first one counts.
const CHANNELS: [(&str, &[Cluster]); 15] = [
    ("T", &[Stocks, Options]),
    ("Q", &[Stocks, Options]),
    ("A", &[Stocks, Options, Indices]),
    ("AM", &[Stocks, Options, Indices]),
    ("LULD", &[Stocks]),
    ("NOI", &[Stocks]),
    ("V", &[Indices]),
    ("FMV", &[Stocks, Options, Crypto, Forex]),
    ("XT", &[Crypto]),
    ("XQ", &[Crypto]),
    ("XA", &[Crypto]),
    ("XAS", &[Crypto]),
    ("C", &[Forex]),
    ("CA", &[Forex]),
    ("CAS", &[Forex]),
];

/// One topic for each symbol and channel that its cluster has, each once.
///
/// `T`, `Q`, `A` and `AM` mean trades, quotes, bars of a second and of a minute in every cluster, under the name it
/// gives them: one setting serves them all. Other channels count only for the symbols whose cluster has them.
pub(super) fn topics(symbols: &[String], channels: &[String]) -> Result<Vec<Topic>, FeedError> {
    if let Some(unknown) = channels.iter().find(|channel| clusters_of(channel).is_none()) {
        let known = CHANNELS.map(|(name, _)| name).join(", ");
        return Err(FeedError::UnknownChannel { feed: NAME, channel: unknown.clone(), known });
    }
    let mut topics = Vec::with_capacity(symbols.len() * channels.len());
    let mut seen = HashSet::with_capacity(topics.capacity());
    for symbol in symbols {
        // What the worker could not name must not be subscribed.
        let ticker = if symbol == ALL { ALL.to_owned() } else { streamed(symbol)? };
        let mut is_carried = false;
        for channel in channels {
            let Some((name, cluster)) = place(symbol, channel) else { continue };
            is_carried = true;
            let stream: Box<str> = format!("{name}.{ticker}").into();
            if seen.insert(stream.clone()) {
                topics.push(Topic { symbol: symbol.as_str().into(), stream, lane: cluster.name() });
            }
        }
        if !is_carried {
            return Err(uncarried(symbol, channels).into());
        }
    }
    Ok(topics)
}

/// The channel's name in the cluster of the symbol; nothing when that has no such channel.
fn place<'a>(symbol: &str, channel: &'a str) -> Option<(&'a str, Cluster)> {
    let clusters = clusters_of(channel)?;
    if symbol == ALL {
        return clusters.first().map(|cluster| (channel, *cluster));
    }
    let cluster = Cluster::of(symbol);
    if clusters.contains(&cluster) {
        return Some((channel, cluster));
    }
    let name = match (channel, cluster) {
        ("T" | "Q", Indices) => "V",
        ("T", Crypto) => "XT",
        ("Q", Crypto) => "XQ",
        ("A", Crypto) => "XAS",
        ("AM", Crypto) => "XA",
        // There are no trades, only quotes.
        ("T" | "Q", Forex) => "C",
        ("A", Forex) => "CAS",
        ("AM", Forex) => "CA",
        (_, Stocks | Options | Indices | Crypto | Forex) => return None,
    };
    Some((name, cluster))
}

fn clusters_of(channel: &str) -> Option<&'static [Cluster]> {
    CHANNELS.iter().find(|(name, _)| *name == channel).map(|(_, clusters)| *clusters)
}

fn uncarried(symbol: &str, channels: &[String]) -> SymbolError {
    let cluster = Cluster::of(symbol);
    let own = CHANNELS.iter().filter(|(_, clusters)| clusters.contains(&cluster)).map(|(name, _)| *name);
    let own = own.collect::<Vec<_>>().join(", ");
    let problem = format!("{} has no channel {}; it has {own}", cluster.name(), channels.join(", "));
    SymbolError { feed: NAME, symbol: symbol.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(symbols: &[&str], channels: &[&str]) -> Result<Vec<String>, FeedError> {
        let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.to_owned()).collect() };
        let topics = topics(&own(symbols), &own(channels))?;
        Ok(topics.iter().map(|topic| format!("{} {}", topic.lane, topic.stream)).collect())
    }

    #[test]
    fn the_usual_channels_have_their_own_name_in_every_cluster() {
        let symbols = ["BRK.B", "O:SPY251219C00650000", "I:SPX", "X:BTCUSD", "C:EURUSD"];
        let wanted = [
            "stocks T.BRK.B",
            "stocks Q.BRK.B",
            "options T.O:SPY251219C00650000",
            "options Q.O:SPY251219C00650000",
            "indices V.I:SPX",
            "crypto XT.BTC-USD",
            "crypto XQ.BTC-USD",
            "forex C.EUR/USD",
        ];
        assert_eq!(ask(&symbols, &["T", "Q"]).unwrap(), wanted);
        let wanted = ["stocks A.KIMpL", "stocks AM.KIMpL", "crypto XAS.BTC-USD", "crypto XA.BTC-USD"];
        assert_eq!(ask(&["KIMpL", "BTC-USD"], &["A", "AM"]).unwrap(), wanted);
        assert_eq!(ask(&["EUR/USD"], &["A", "AM"]).unwrap(), ["forex CAS.EUR/USD", "forex CA.EUR/USD"]);
    }

    #[test]
    fn a_channel_of_another_cluster_is_left_out_and_a_symbol_without_any_is_refused() {
        assert_eq!(ask(&["AAPL", "BTC-USD"], &["XT", "T"]).unwrap(), ["stocks T.AAPL", "crypto XT.BTC-USD"]);
        let refused = ask(&["AAPL"], &["XT", "C"]).unwrap_err();
        assert!(matches!(refused, FeedError::Symbol(_)));
        assert_eq!(
            refused.to_string(),
            r#""AAPL" is no massive symbol: stocks has no channel XT, C; it has T, Q, A, AM, LULD, NOI, FMV"#
        );
    }

    #[test]
    fn all_symbols_are_those_of_the_cluster_that_has_the_channel() {
        let wanted = ["stocks T.*", "crypto XT.*", "forex C.*", "indices V.*"];
        assert_eq!(ask(&["*"], &["T", "XT", "C", "V"]).unwrap(), wanted);
    }

    #[test]
    fn a_stream_is_subscribed_once() {
        assert_eq!(ask(&["X:BTCUSD", "BTC-USD"], &["T", "XT"]).unwrap(), ["crypto XT.BTC-USD"]);
    }

    #[test]
    fn an_unknown_channel_is_refused_with_the_known_ones() {
        for channel in ["t", "", "trades", "T.AAPL", "XL2"] {
            let said = ask(&["AAPL"], &[channel]).unwrap_err().to_string();
            assert!(said.contains("T, Q, A, AM, LULD"), "{said}");
        }
    }

    #[test]
    fn a_symbol_that_cannot_be_read_is_refused_before_it_is_subscribed() {
        assert!(matches!(ask(&["A,B"], &["T"]), Err(FeedError::Symbol(_))));
    }
}
