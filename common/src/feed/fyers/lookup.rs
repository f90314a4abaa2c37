//! Asks Fyers for the token numbers of symbols that no symbol master has told.
//!
//! `POST /data/symbol-token` with `{"symbols":[..]}`; answers `{"s":"ok","validSymbol":{symbol: number},
//! "invalidSymbol":[..]}` or `{"s":"error","code":..,"message":".."}`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::feed::{Failure, HttpAnswer, HttpMethod, HttpRequest, Remedy};

/// Most symbols one request may name.
const SYMBOLS_MAX: usize = 500;

/// Codes by which Fyers says that the token is the problem: run out, invalid, of another app.
const TOKEN_CODES: [i64; 6] = [-8, -15, -16, -17, -99, -352];

/// The requests of one session.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    waiting: VecDeque<Box<str>>,
    asked: Vec<Box<str>>,
}

/// What one answer says of each symbol that was asked for.
pub(super) type Found = BTreeMap<Box<str>, Result<String, &'static str>>;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "validSymbol", default)]
    valid: BTreeMap<Box<str>, Value>,
    #[serde(rename = "invalidSymbol", default)]
    invalid: BTreeSet<Box<str>>,
    #[serde(default)]
    s: String,
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl Lookup {
    /// Will ask for each symbol once.
    pub(super) fn new(symbols: BTreeSet<Box<str>>) -> Self {
        Self { waiting: symbols.into_iter().collect(), asked: Vec::new() }
    }

    /// The next request.
    pub(super) fn next(&mut self, http: &str, jwt: &SecretString) -> Option<HttpRequest> {
        let batch = self.waiting.len().min(SYMBOLS_MAX);
        self.asked = self.waiting.drain(..batch).collect();
        (!self.asked.is_empty()).then(|| HttpRequest {
            method: HttpMethod::Post,
            url: format!("{http}/data/symbol-token"),
            headers: vec![("Authorization", jwt.expose_secret().to_owned())],
            body: Some(json!({ "symbols": self.asked }).to_string()),
        })
    }

    /// Reads the answer to the last request.
    pub(super) fn read(&mut self, answer: &HttpAnswer) -> Result<Found, Failure> {
        if matches!(answer.status, 401 | 403) {
            let reason = "Fyers refuses the access token (symbol-token, status {}); log in again";
            return Err(failure(Remedy::NewCredentials, reason.replace("{}", &answer.status.to_string())));
        }
        let Ok(mut said) = serde_json::from_str::<Answer>(&answer.body) else {
            let reason = format!("symbol-token answered status {} and no JSON that is documented", answer.status);
            return Err(failure(Remedy::Retry, reason));
        };
        if said.s != "ok" {
            let remedy = if TOKEN_CODES.contains(&said.code) { Remedy::NewCredentials } else { Remedy::Retry };
            let message = if said.message.is_empty() { "no reason given" } else { &said.message };
            return Err(failure(remedy, format!("symbol-token: {message} (code {})", said.code)));
        }
        Ok(self
            .asked
            .drain(..)
            .map(|symbol| {
                let told = told(&mut said, &symbol);
                (symbol, told)
            })
            .collect())
    }
}

fn told(said: &mut Answer, symbol: &str) -> Result<String, &'static str> {
    match said.valid.remove(symbol) {
        Some(Value::String(number)) => Ok(number),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err("its token number is no number"),
        None if said.invalid.contains(symbol) => Err("Fyers does not know this symbol"),
        None => Err("Fyers' answer does not mention this symbol"),
    }
}

fn failure(remedy: Remedy, reason: String) -> Failure {
    Failure { remedy, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(symbols: usize) -> Lookup {
        Lookup::new((0..symbols).map(|n| format!("NSE:S{n}-EQ").into()).collect())
    }

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, body: body.to_owned() }
    }

    #[test]
    fn symbols_are_asked_for_in_batches_of_five_hundred_with_the_bare_token() {
        let (mut lookup, jwt) = (lookup(501), SecretString::from("e30.x.y"));
        let first = lookup.next("https://api.example", &jwt).unwrap();
        assert_eq!((first.url.as_str(), first.method), ("https://api.example/data/symbol-token", HttpMethod::Post));
        assert_eq!(first.headers, [("Authorization", "e30.x.y".to_owned())]);
        assert_eq!(first.body.unwrap().matches("NSE:").count(), 500);
        let second = lookup.next("", &jwt).unwrap();
        assert_eq!(second.body.unwrap(), r#"{"symbols":["NSE:S99-EQ"]}"#);
        assert_eq!(lookup.next("", &jwt), None);
    }

    #[test]
    fn each_symbol_has_its_number_or_its_reason() {
        let mut lookup = lookup(4);
        lookup.next("", &"".into()).unwrap();
        let body = r#"{"s":"ok","code":200,"validSymbol":{"NSE:S0-EQ":"10100000001","NSE:S1-EQ":10100000002},"invalidSymbol":["NSE:S2-EQ"]}"#;
        let found = lookup.read(&answer(200, body)).unwrap();
        let told: Vec<_> = found.values().map(|told| told.as_deref()).collect();
        let unknown = Err(&"Fyers does not know this symbol");
        let silent = Err(&"Fyers' answer does not mention this symbol");
        assert_eq!(told, [Ok("10100000001"), Ok("10100000002"), unknown, silent]);
    }

    #[test]
    fn errors_of_the_token_ask_for_another_and_the_rest_for_patience() {
        for (status, body, remedy) in [
            (401, "", Remedy::NewCredentials),
            (403, "<html>", Remedy::NewCredentials),
            (200, r#"{"s":"error","code":-17,"message":"Token is invalid"}"#, Remedy::NewCredentials),
            (200, r#"{"s":"error","code":-99,"message":"Token is expired"}"#, Remedy::NewCredentials),
            (429, r#"{"s":"error","code":429,"message":"request limit reached"}"#, Remedy::Retry),
            (200, r#"{"s":"error"}"#, Remedy::Retry),
            (502, "<html>", Remedy::Retry),
            (200, "[]", Remedy::Retry),
        ] {
            let failure = lookup(1).read(&answer(status, body)).unwrap_err();
            assert_eq!(failure.remedy, remedy, "{status} {body}");
        }
        let said = lookup(1).read(&answer(429, r#"{"s":"error","code":429,"message":"slow down"}"#)).unwrap_err();
        assert_eq!(&*said.reason, "symbol-token: slow down (code 429)");
    }
}
