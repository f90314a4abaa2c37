//! Upstox Market Data Feed V3 (market-data-feed pages of the Upstox developer documentation, 2026-09).
//!
//! A one-time address is given out over HTTP; the server speaks first, answers no request, and sends Protocol Buffers.

mod render;
mod request;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use common::feed::upstox::schema::{FeedResponse, RequestMode};
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::server::Request;

use super::{Asked, Envelope, Named, Opening, Place, Refusal, Sent, Subject, Venue};
use crate::exchange::desk::Desk;
use crate::exchange::frame::Opcode;
use crate::exchange::http::{HttpAsked, HttpReply};
use crate::exchange::options::ExchangeLimits;
use crate::exchange::walk::{Channel, Event};
use request::Conversation;

/// Where an address is asked for.
const AUTHORIZE: &str = "/v3/feed/market-data-feed/authorize";

/// Where that address points to.
const FEED: &str = "/market-data-feeder/v3/upstox-developer-api/feeds";

/// What a subscription may ask for.
const MODES: [&str; 4] = ["ltpc", "full", "option_greeks", "full_d30"];

/// Upstox.
#[derive(Debug)]
pub(super) struct Upstox;

impl Venue for Upstox {
    fn name(&self) -> &'static str {
        "upstox"
    }

    fn limits(&self) -> ExchangeLimits {
        ExchangeLimits {
            connections: 2,
            streams_per_connection: 5_000,
            // Not documented.
            messages_per_second: 50,
            ping_interval: Duration::from_secs(10),
            ..ExchangeLimits::default()
        }
    }

    /// An instrument key with an ISIN that nobody has.
    fn symbol(&self, n: usize, _asset: &str) -> String {
        format!("NSE_EQ|INE{n:06}010")
    }

    fn http(&self, asked: &HttpAsked<'_>, desk: &Desk) -> HttpReply {
        let path = asked.target.split_once('?').map_or(asked.target, |(path, _query)| path);
        if asked.method != "GET" || path != AUTHORIZE {
            return HttpReply::not_found();
        }
        let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| desk.admits(token)) {
            let error = json!({"errorCode": "UDAPI100050", "message": "Invalid token used to access API", "error_code": "UDAPI100050"});
            return HttpReply { status: 401, body: json!({"status": "error", "errors": [error]}).to_string() };
        }
        let address = format!("ws://{}{FEED}?requestId=simulated&code={}", asked.host, desk.issue_code());
        // Both spellings, as the real one.
        let data = json!({"authorized_redirect_uri": address, "authorizedRedirectUri": address});
        HttpReply { status: 200, body: json!({"status": "success", "data": data}).to_string() }
    }

    fn open(&self, request: &Request, limits: &ExchangeLimits, desk: &Arc<Desk>) -> Result<Opening, Refusal> {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        if path != FEED {
            return Err(Refusal { status: 404, reason: format!("there is nothing at {path}; ask {AUTHORIZE} first") });
        }
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default();
        if !desk.redeem(code) {
            return Err(Refusal { status: 403, reason: "the code is not good, or was used before".to_owned() });
        }
        let conversation = Conversation::new(Arc::clone(desk), limits.streams_per_connection);
        Ok(Opening { conversation: Box::new(conversation), envelope: Envelope::Whole, streams: Vec::new() })
    }

    fn subject(&self, stream: &str) -> Option<Subject> {
        let (_mode, key) = stream.split_once(':')?;
        Some(Subject { symbol: key.to_owned(), channel: Channel::Ticker })
    }

    fn kind<'s>(&self, stream: &'s str) -> &'s str {
        stream.split_once(':').map_or(stream, |(mode, _key)| mode)
    }

    fn opcode(&self) -> Opcode {
        Opcode::Binary
    }

    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
        let start = out.len();
        out.extend(render::live(stream.stream, event));
        start..out.len()
    }

    fn render_first(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> bool {
        out.extend(render::snapshot(stream.stream, event));
        true
    }

    fn market_notice(&self, is_open: bool) -> Option<Sent> {
        Some(Sent::Binary(render::market_info(is_open)))
    }

    fn recorded(&self, frame: Asked<'_>) -> Option<Place> {
        let Asked::Binary(frame) = frame else { return None };
        let response = FeedResponse::read(frame).ok()?;
        match &*response.feeds {
            [] => None,
            [entry] => {
                let mode = mode_name(entry.feed.as_ref()?.request_mode)?;
                Some(Place::Stream(stream(mode, &entry.key), 0..frame.len()))
            }
            [_, _, ..] => Some(Place::Connection),
        }
    }
}

/// The stream of an instrument in a mode: `full:NSE_EQ|INE002A01018`.
fn stream(mode: &str, key: &str) -> Box<str> {
    format!("{mode}:{key}").into()
}

fn mode_name(number: i32) -> Option<&'static str> {
    let mode = RequestMode::try_from(number).ok()?;
    Some(match mode {
        RequestMode::Ltpc => "ltpc",
        RequestMode::FullD5 => "full",
        RequestMode::OptionGreeks => "option_greeks",
        RequestMode::FullD30 => "full_d30",
    })
}

#[cfg(test)]
mod tests;
