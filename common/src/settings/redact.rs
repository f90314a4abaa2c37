//! URLs without their secrets, for logs, errors and screens.

/// What stands where a secret stood.
pub(crate) const MASK: &str = "***";

/// Parts of a query parameter's name that mark its value as secret.
const SECRET_NAMES: &[&str] = &["pass", "secret", "token", "key", "code", "auth", "sig"];

/// `url` with the password and secret query parameters masked. Never panics, whatever the text: when in doubt, it
/// hides more.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // `sqlite:PATH` has no place for a secret; anything else is no URL we know, so show nothing of it.
        return if url.starts_with("sqlite:") { url.to_owned() } else { MASK.to_owned() };
    };
    // The last `@`: a password may hold `@`, `/`, `?` and `#` unescaped.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((credentials, rest)) => (Some(credentials), rest),
        None => (None, rest),
    };
    let user = match user.map(|credentials| (credentials, credentials.split_once(':'))) {
        None => String::new(),
        Some((_, Some((name, _password)))) => format!("{name}:{MASK}@"),
        // Not a user's name but a query that holds an `@`.
        Some((credentials, None)) if credentials.contains(['/', '?', '#', '=']) => format!("{MASK}@"),
        Some((credentials, None)) => format!("{credentials}@"),
    };
    let Some((place, query)) = rest.split_once('?') else { return format!("{scheme}://{user}{rest}") };
    let pairs: Vec<String> = query.split('&').map(redacted_pair).collect();
    format!("{scheme}://{user}{place}?{}", pairs.join("&"))
}

fn redacted_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if SECRET_NAMES.iter().any(|secret| name.to_ascii_lowercase().contains(secret)) => {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_url_stays_readable() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
            ("redis://:CANARY@cache:6379", "redis://:***@cache:6379"),
            ("postgres://tidemill:CANARY@db:5432/market", "postgres://tidemill:***@db:5432/market"),
            ("postgres://tidemill@db/market", "postgres://tidemill@db/market"),
            (
                "postgres://db/m?user=a&password=CANARY&sslmode=require",
                "postgres://db/m?user=a&password=***&sslmode=require",
            ),
            ("sqlite:tidemill-data/queue.db", "sqlite:tidemill-data/queue.db"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }

    #[test]
    fn odd_passwords_never_show() {
        for url in [
            "redis://u:CANARY@x@h/0",
            "redis://u:CAN/CANARY?CANARY@h",
            "redis://u:p#CANARY@h",
            "postgres://db/m?password=CANARY@x",
            "CANARY",
            "host=db password=CANARY",
            "postgres://h/db?SSLPASSWORD=CANARY",
            "redis://u:é\u{1f511}CANARY@h",
        ] {
            assert!(!redacted(url).contains("CANARY"), "{}", redacted(url));
        }
    }
}
