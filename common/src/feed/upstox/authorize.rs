//! The errand before each connection: Upstox gives the address to connect to, with a code that opens it once.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::feed::{Failure, HttpAnswer, HttpMethod, HttpRequest, Remedy};

/// Where to ask.
const PATH: &str = "/v3/feed/market-data-feed/authorize";

/// Upstox' code for a token that is wrong or has run out.
const BAD_TOKEN: &str = "UDAPI100050";

/// What is shown of a foreign code, in characters.
const CODE_CHARS_MAX: usize = 32;

/// The request for an address.
pub(super) fn request(http: &str, token: &SecretString) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Get,
        url: format!("{}{PATH}", http.trim_end_matches('/')),
        headers: vec![
            ("Authorization", format!("Bearer {}", token.expose_secret())),
            ("Accept", "application/json".to_owned()),
        ],
        body: None,
    }
}

/// The token as it can stand in a header. Nothing of it is in the reason when it cannot.
pub(super) fn token(credential: Option<&SecretString>) -> Result<SecretString, Failure> {
    let refuse = |reason: &str| Failure { remedy: Remedy::NewCredentials, reason: reason.into() };
    let given = credential.ok_or_else(|| refuse("Upstox wants an access token, and none is set"))?;
    let token = given.expose_secret().trim();
    if token.is_empty() {
        return Err(refuse("the access token for Upstox is empty"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refuse("the access token for Upstox holds spaces or signs that no token has"));
    }
    Ok(token.into())
}

/// The address to connect to, asked for at `http`: a secret, as its code opens a connection.
pub(super) fn address(answer: &HttpAnswer, http: &str, token: &SecretString) -> Result<SecretString, Failure> {
    // What is no JSON says nothing: the status alone tells what happened.
    let said: Answer = serde_json::from_str(&answer.body).unwrap_or_default();
    if (200..300).contains(&answer.status) && said.errors.is_empty() {
        let address = said.data.and_then(|data| data.authorized_redirect_uri.or(data.older_name));
        let address = address.filter(|address| is_good(address, http));
        return address.map(SecretString::from).ok_or_else(|| Failure {
            remedy: Remedy::Retry,
            reason: "Upstox answered the request for an address without one to connect to".into(),
        });
    }
    Err(refusal(answer.status, &said.errors, token))
}

/// Whether it is an address of a WebSocket, as well encrypted as the request for it was.
fn is_good(address: &str, http: &str) -> bool {
    let may_be_plain = !http.starts_with("https://");
    let rest = address.strip_prefix("wss://").or_else(|| address.strip_prefix("ws://").filter(|_| may_be_plain));
    rest.is_some_and(|rest| {
        !rest.starts_with(['/', '?']) && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic())
    })
}

fn refusal(status: u16, errors: &[Refusal], token: &SecretString) -> Failure {
    let is_bad_token = errors.iter().any(|error| error.code() == BAD_TOKEN);
    // 403: the token is good for other things, so another one is wanted too.
    let remedy = if is_bad_token || matches!(status, 401 | 403) { Remedy::NewCredentials } else { Remedy::Retry };
    let what = match remedy {
        Remedy::NewCredentials => "Upstox refuses the access token",
        Remedy::Retry | Remedy::Stop => "Upstox gives no address to connect to",
    };
    let said = match errors.first() {
        None => "no reason given".to_owned(),
        Some(error) => {
            let code: String = error.code().chars().take(CODE_CHARS_MAX).collect();
            // A server may repeat what it was sent.
            let message = error.message.as_deref().unwrap_or("no reason given");
            format!("{} ({code})", message.replace(token.expose_secret(), "[token]"))
        }
    };
    Failure { remedy, reason: format!("{what}: HTTP status {status}, {said}").into() }
}

/// `{"status":"success","data":{"authorized_redirect_uri":"wss://.."}}`, or
/// `{"status":"error","errors":[{"error_code":"UDAPI100050","message":".."}]}`. Older names stand beside the newer ones.
#[derive(Deserialize, Default)]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Data {
    authorized_redirect_uri: Option<String>,
    #[serde(rename = "authorizedRedirectUri")]
    older_name: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: Option<String>,
    #[serde(rename = "errorCode")]
    older_name: Option<String>,
    message: Option<String>,
}

impl Refusal {
    fn code(&self) -> &str {
        self.error_code.as_deref().or(self.older_name.as_deref()).unwrap_or("no code")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJ0eXAiOiJKV1Qi.c2VjcmV0.c2lnbmF0dXJl";

    fn answer(status: u16, body: &str) -> Result<String, Failure> {
        asked_at("https://api.upstox.com", status, body)
    }

    fn asked_at(http: &str, status: u16, body: &str) -> Result<String, Failure> {
        let answer = HttpAnswer { status, body: body.to_owned() };
        address(&answer, http, &TOKEN.into()).map(|address| address.expose_secret().to_owned())
    }

    #[test]
    fn the_request_carries_the_token_and_shows_nothing_of_it() {
        let request = request("https://api.upstox.com/", &token(Some(&format!(" {TOKEN}\n").into())).unwrap());
        assert_eq!(request.url, "https://api.upstox.com/v3/feed/market-data-feed/authorize");
        assert_eq!(request.headers[0], ("Authorization", format!("Bearer {TOKEN}")));
        assert_eq!(request.headers[1], ("Accept", "application/json".to_owned()));
        assert!(!format!("{request:?}").contains("eyJ0"), "{request:?}");
    }

    #[test]
    fn the_address_is_read_under_both_of_its_names() {
        let both = r#"{"status":"success","data":{"authorized_redirect_uri":"wss://a/?code=1","authorizedRedirectUri":"wss://a/?code=1"}}"#;
        assert_eq!(answer(200, both).unwrap(), "wss://a/?code=1");
        assert_eq!(answer(200, r#"{"data":{"authorizedRedirectUri":"wss://b"}}"#).unwrap(), "wss://b");
    }

    #[test]
    fn a_code_does_not_travel_in_the_clear_unless_the_token_did() {
        let plain = r#"{"data":{"authorized_redirect_uri":"ws://127.0.0.1:9443/?code=1"}}"#;
        assert!(answer(200, plain).unwrap_err().reason.contains("without one"));
        assert_eq!(asked_at("http://127.0.0.1:9443", 200, plain).unwrap(), "ws://127.0.0.1:9443/?code=1");
    }

    #[test]
    fn a_refused_token_asks_for_another_one() {
        let body = format!(
            r#"{{"status":"error","errors":[{{"errorCode":"UDAPI100050","message":"Invalid token {TOKEN}","error_code":"UDAPI100050","invalidValue":null}}]}}"#
        );
        let said = "Upstox refuses the access token: HTTP status 401, Invalid token [token] (UDAPI100050)";
        let failure = Failure { remedy: Remedy::NewCredentials, reason: said.into() };
        assert_eq!(answer(401, &body), Err(failure));
        for (status, body) in [(400, &*body), (200, &*body), (401, ""), (401, "<html>"), (403, "{}")] {
            assert_eq!(answer(status, body).unwrap_err().remedy, Remedy::NewCredentials, "{status} {body}");
        }
    }

    #[test]
    fn everything_else_is_tried_again() {
        let limited = r#"{"status":"error","errors":[{"error_code":"UDAPI10005","message":"Too Many Request Sent"}]}"#;
        for (status, body, part) in [
            (429, limited, "HTTP status 429, Too Many Request Sent (UDAPI10005)"),
            (500, "", "HTTP status 500, no reason given"),
            (503, "{", "no reason given"),
            (400, r#"{"errors":[{}]}"#, "no reason given (no code)"),
            (200, "", "without one"),
            (200, r#"{"status":"success","data":null}"#, "without one"),
            (200, r#"{"data":{"authorized_redirect_uri":"http://x/?code=secret"}}"#, "without one"),
            (200, r#"{"data":{"authorized_redirect_uri":"wss://?code=secret"}}"#, "without one"),
            (200, r#"{"data":{"authorized_redirect_uri":"wss://x y/?code=secret"}}"#, "without one"),
        ] {
            let failure = answer(status, body).unwrap_err();
            assert_eq!(failure.remedy, Remedy::Retry, "{status} {body}");
            assert!(failure.reason.contains(part), "{}", failure.reason);
            assert!(!failure.reason.contains("secret"), "{}", failure.reason);
        }
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_refused_without_showing_it() {
        for given in [None, Some(""), Some(" \n"), Some("to ken"), Some("tok\u{e9}n"), Some("a\r\nX: y")] {
            let failure = token(given.map(SecretString::from).as_ref()).unwrap_err();
            assert_eq!(failure.remedy, Remedy::NewCredentials);
            assert!(given.is_none_or(|given| given.trim().is_empty() || !failure.reason.contains(given)));
        }
    }
}
