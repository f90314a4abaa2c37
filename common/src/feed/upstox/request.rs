//! What we send: JSON, in binary frames.

use serde::Serialize;

use crate::feed::Outgoing;
use crate::feed::upstox::LIMITS;
use crate::feed::upstox::channel::Mode;

/// What is asked of the instruments of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Carry them.
    Subscribe(Mode),
    /// Carry them in another mode.
    ChangeMode(Mode),
    /// Carry them no longer.
    Unsubscribe,
}

/// `{"guid":"tidemill-1","method":"sub","data":{"mode":"full","instrumentKeys":["NSE_INDEX|Nifty 50"]}}`
#[derive(Serialize)]
struct Request<'a> {
    /// Any text; no answer repeats it.
    guid: &'a str,
    method: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    instrument_keys: &'a [&'a str],
}

/// The requests of a connection, numbered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    sent: u64,
}

impl Requests {
    /// Asks for `method` of `keys`, in as many messages as it takes.
    pub(super) fn ask(&mut self, method: Method, keys: &[&str], out: &mut Vec<Outgoing>) {
        for keys in keys.chunks(LIMITS.streams_per_message) {
            self.sent += 1;
            let guid = format!("tidemill-{}", self.sent);
            let (method, mode) = match method {
                Method::Subscribe(mode) => ("sub", Some(mode.name())),
                Method::ChangeMode(mode) => ("change_mode", Some(mode.name())),
                Method::Unsubscribe => ("unsub", None),
            };
            let request = Request { guid: &guid, method, data: Data { mode, instrument_keys: keys } };
            let json = serde_json::to_vec(&request).expect("texts and lists of texts are JSON");
            out.push(Outgoing::Binary(json));
        }
    }
}
