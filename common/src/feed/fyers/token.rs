//! The access token, `APPID:JWT`: of its claims the socket wants one, and one tells when it runs out.
//!
//! Nothing here is verified, that is the server's part; and no text shows any of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::clock::UnixMicros;
use crate::feed::{Failure, Remedy};

/// Longest socket key that is sent; real ones have 56 characters.
const KEY_BYTES_MAX: usize = 1_024;

/// A token that has not run out.
#[derive(Debug)]
pub(super) struct AccessToken {
    /// What opens the socket.
    pub(super) socket_key: SecretString,
    /// The token without the app's id: what the HTTP API wants.
    pub(super) jwt: SecretString,
    /// Length of the whole credential: the official library counts it into the length of some frames.
    pub(super) bytes: usize,
}

/// The claims that matter.
#[derive(Deserialize)]
struct Claims {
    hsm_key: String,
    /// Unix seconds.
    exp: serde_json::Number,
}

/// Reads the credential.
pub(super) fn read(credential: Option<&SecretString>, now: UnixMicros) -> Result<AccessToken, Failure> {
    let Some(credential) = credential.map(|secret| secret.expose_secret().trim()).filter(|text| !text.is_empty())
    else {
        return Err(refusal("there is no access token; log in at Fyers and give today's, APPID:JWT"));
    };
    let jwt = credential.rsplit_once(':').map_or(credential, |(_app, jwt)| jwt);
    let Some(claims) = claims(jwt) else {
        return Err(refusal("the access token is not an APPID:JWT of Fyers API v3; log in again and copy all of it"));
    };
    if claims.hsm_key.is_empty() || KEY_BYTES_MAX < claims.hsm_key.len() || !claims.hsm_key.is_ascii() {
        return Err(refusal("the access token holds no usable hsm_key, which opens the data socket; log in again"));
    }
    let expires_at = seconds(&claims.exp).and_then(UnixMicros::from_secs);
    match expires_at {
        None => return Err(refusal("the access token says no time at which it runs out; log in again")),
        Some(expires_at) if expires_at <= now => {
            return Err(refusal(&format!("the access token ran out at {expires_at}; log in again")));
        }
        Some(_) => {}
    }
    Ok(AccessToken { socket_key: claims.hsm_key.into(), jwt: jwt.into(), bytes: credential.len() })
}

/// The middle one of three parts between dots, base64url of JSON. The first may be anything.
fn claims(jwt: &str) -> Option<Claims> {
    let mut parts = jwt.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Some issuers write seconds with a fraction.
fn seconds(number: &serde_json::Number) -> Option<i64> {
    number.to_string().split('.').next()?.parse().ok()
}

fn refusal(reason: &str) -> Failure {
    Failure { remedy: Remedy::NewCredentials, reason: reason.into() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A token with these claims, as Fyers would sign it.
    pub(in crate::feed::fyers) fn token(claims: &str) -> SecretString {
        format!("TESTAPP-100:e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims)).into()
    }

    const NOW: UnixMicros = UnixMicros(1_700_000_000_000_000);

    fn reason(credential: &SecretString) -> String {
        let failure = read(Some(credential), NOW).unwrap_err();
        assert_eq!(failure.remedy, Remedy::NewCredentials);
        failure.reason.into()
    }

    #[test]
    fn the_socket_key_and_the_bare_token_are_found() {
        let credential = token(r#"{"hsm_key":"0123abcd","exp":1700000001,"sub":"access_token"}"#);
        let read = read(Some(&credential), NOW).unwrap();
        assert_eq!(read.socket_key.expose_secret(), "0123abcd");
        assert!(read.jwt.expose_secret().starts_with("e30."));
        assert_eq!(read.bytes, credential.expose_secret().len());
    }

    #[test]
    fn padding_and_fractions_of_seconds_do_not_matter() {
        let padded = SecretString::from("A:e30.eyJoc21fa2V5IjoiYSIsImV4cCI6MTcwMDAwMDAwMS41fQ==.x");
        assert_eq!(read(Some(&padded), NOW).unwrap().socket_key.expose_secret(), "a");
    }

    #[test]
    fn a_token_that_has_run_out_says_when() {
        let said = reason(&token(r#"{"hsm_key":"0123abcd","exp":1700000000}"#));
        assert!(said.contains("2023-11-14T22:13:20Z"), "{said}");
    }

    #[test]
    fn what_is_no_token_is_refused_and_never_shown() {
        for text in ["secret", "APP:secret", "APP:secret.secret", "APP:a.secret!.b", "APP:a.c2VjcmV0.b", "APP:.."] {
            let said = reason(&text.into());
            assert!(said.contains("log in") && !said.contains("secret"), "{said}");
        }
        for claims in [
            r#"{"exp":1700000001}"#,
            r#"{"hsm_key":"secret"}"#,
            r#"{"hsm_key":"","exp":1700000001}"#,
            r#"{"hsm_key":"secrét","exp":1700000001}"#,
            r#"{"hsm_key":5,"exp":1700000001}"#,
            r#"{"hsm_key":"secret","exp":"soon"}"#,
            r#"{"hsm_key":"secret","exp":1e300}"#,
        ] {
            let said = reason(&token(claims));
            assert!(said.contains("log in") && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn a_missing_token_is_told() {
        assert!(read(None, NOW).unwrap_err().reason.contains("no access token"));
        assert!(read(Some(&"  ".into()), NOW).unwrap_err().reason.contains("no access token"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let credential = token(r#"{"hsm_key":"0123abcd","exp":1700000001}"#);
        let shown = format!("{:?}", read(Some(&credential), NOW).unwrap());
        assert!(!shown.contains("0123abcd") && !shown.contains("e30"), "{shown}");
    }
}
