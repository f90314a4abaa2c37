//! What a JSON web token says of itself (RFC 7519). Its signature is not checked: only its issuer can. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::clock::UnixMicros;

/// A larger token is none of a provider's.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// The claims of `token`: a JWT, bare or behind a prefix and a colon such as Fyers' `APPID:`. `None` for anything else.
pub fn claims(token: &str) -> Option<serde_json::Map<String, Value>> {
    if TOKEN_BYTES_MAX < token.len() {
        return None;
    }
    let jwt = token.rsplit_once(':').map_or(token, |(_, jwt)| jwt);
    let mut parts = jwt.split('.');
    let (Some(_head), Some(claims), Some(_signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    // Some issuers pad although the RFC forbids it.
    let json = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&json).ok()? {
        Value::Object(claims) => Some(claims),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// When `token` runs out: its claim `exp`, unix seconds. `None` when it is no JWT or does not say.
pub fn expires_at(token: &str) -> Option<UnixMicros> {
    let exp = claims(token)?.remove("exp")?;
    // A fraction of a second is legal and of no use here; digits are cut instead of going through a float.
    let digits = exp.as_number()?.to_string();
    let whole = digits.split('.').next()?;
    whole.parse().ok().and_then(UnixMicros::from_secs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jwt(claims: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_jwt_says_when_it_runs_out_with_or_without_a_prefix() {
        let token = jwt(r#"{"sub":"access","exp":1764109800}"#);
        let at = UnixMicros::from_secs(1_764_109_800);
        assert_eq!(expires_at(&token), at);
        assert_eq!(expires_at(&format!("XC4XXXX-100:{token}")), at);
        assert_eq!(expires_at(&jwt(r#"{"exp":1764109800.75}"#)), at);
        assert_eq!(claims(&token).unwrap()["sub"], "access");
    }

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for token in ["", "plain", "a.b.c", "a.b", "..", ":", &jwt("[1]"), &jwt("{\"exp\":\"soon\"}"), &jwt("{}")] {
            assert_eq!(expires_at(token), None, "{token}");
        }
        assert_eq!(expires_at(&jwt(r#"{"exp":1e300}"#)), None);
        assert_eq!(expires_at(&jwt(r#"{"exp":9223372036854775807}"#)), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC*", claims_text in "\\PC*") {
            drop((claims(&text), expires_at(&jwt(&claims_text))));
        }
    }
}
