//! Text frames: everything that is no market data.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::{Failure, Reading, Remedy};

/// Longest reason that is passed on, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Texts that say whose the error is. The first match counts: an instrument's token is not the account's.
const ERRORS: [(&str, Remedy); 10] = [
    ("instrument", Remedy::Retry),
    ("permission", Remedy::Stop),
    ("not subscribed", Remedy::Stop),
    ("access_token", Remedy::NewCredentials),
    ("access token", Remedy::NewCredentials),
    ("api_key", Remedy::NewCredentials),
    ("api key", Remedy::NewCredentials),
    ("session", Remedy::NewCredentials),
    ("expired", Remedy::NewCredentials),
    ("token", Remedy::NewCredentials),
];

/// `{"type":"error","data":"..."}`, `{"type":"order","data":{..}}`, `{"type":"message","data":".."}`
#[derive(Deserialize)]
struct Frame<'f> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'f, str>,
    #[serde(borrow)]
    data: Option<&'f RawValue>,
}

/// What a text frame means.
pub(super) fn meaning(text: &str) -> Reading<'static> {
    let frame: Frame<'_> = match serde_json::from_str(text) {
        Ok(frame) => frame,
        Err(error) if error.is_data() => return Reading::Rejected("unknown_message"),
        Err(_) => return Reading::Rejected("not_json"),
    };
    match &*frame.kind {
        "error" => Reading::Failed(failure(frame.data)),
        // The account's orders, the broker's notices, and when the instruments list was made: none is a price.
        "order" | "message" | "instruments_meta" | "app_code" => Reading::Heartbeat,
        _ => Reading::Rejected("unknown_message"),
    }
}

fn failure(data: Option<&RawValue>) -> Failure {
    let data = data.map_or("", RawValue::get);
    let said = serde_json::from_str::<Cow<'_, str>>(data).unwrap_or(data.into());
    let lower = said.to_lowercase();
    let remedy = ERRORS.iter().find(|(part, _)| lower.contains(part)).map_or(Remedy::Retry, |(_, remedy)| *remedy);
    let reason: String = said.chars().take(REASON_CHARS_MAX).collect();
    let reason = if reason.is_empty() { "an error without a reason".into() } else { reason.into() };
    Failure { remedy, reason }
}
