//! What must never survive, and what must stay readable.

use proptest::prelude::*;

use super::*;

fn redactor(secrets: &[&str]) -> Redactor {
    let secrets: Vec<SecretString> = secrets.iter().map(|&secret| secret.into()).collect();
    Redactor::new(&secrets)
}

#[test]
fn known_secrets_are_masked_wherever_they_stand() {
    let redactor = redactor(&["XC4-100:ey.CANARY/1", "other"]);
    for (text, shown) in [
        ("token XC4-100:ey.CANARY/1 has run out", "token *** has run out"),
        ("Bearer ey.CANARY/1", "Bearer ***"),
        ("?t=XC4-100%3Aey.CANARY%2F1", "?t=***"),
        ("?t=XC4-100%3aey.CANARY%2f1", "?t=***"),
        ("otherother", "***"),
        ("an ordinary text", "an ordinary text"),
        ("", ""),
    ] {
        assert_eq!(redactor.redact(text), shown);
    }
}

#[test]
fn what_looks_like_a_secret_is_masked_whoever_it_belongs_to() {
    let redactor = Redactor::default();
    for (text, shown) in [
        ("see wss://h/feed?code=CANARY&v=2, then", "see wss://h/feed?code=***&v=***"),
        ("see wss://u:CANARY@h/feed failed", "see wss://***@h/feed failed"),
        ("\"https://h/?CANARY\"", "\"https://h/?***\""),
        ("redis://:CAN@CANARY@h", "redis://***@h"),
        ("https://h/path#top", "https://h/path#top"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2ln!", "jwt ***!"),
        ("eyJust a word", "eyJust a word"),
        ("://", "://"),
    ] {
        let got = redactor.redact(text);
        assert!(!got.contains("CANARY"), "{got}");
        assert!(got.starts_with(shown), "{got} is not {shown}");
    }
}

#[test]
fn overlapping_secrets_leave_no_rest() {
    assert_eq!(redactor(&["abcdef", "defghi"]).redact("x abcdefghi y"), "x *** y");
    assert_eq!(redactor(&["aXa"]).redact("aXaXa"), "***");
}

#[test]
fn a_secret_that_a_mask_completes_is_masked_too() {
    assert_eq!(redactor(&["a***b", "SECRET"]).redact("x aSECRETb y"), "x *** y");
}

#[test]
fn a_redactor_shows_no_secret_itself() {
    assert_eq!(format!("{:?}", redactor(&["CANARY"])), "Redactor { needles: 1 }");
}

proptest! {
    #[test]
    fn no_secret_survives(
        secrets in prop::collection::vec("[!-~é]{1,12}", 1..4),
        words in prop::collection::vec("\\PC{0,8}", 0..6),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let secrets: Vec<String> = secrets.into_iter().filter(|secret| !"***".contains(secret.as_str())).collect();
        prop_assume!(!secrets.is_empty() && secrets.iter().all(|secret| secret.chars().any(|c| c != '*')));
        let mut text = String::new();
        for (word, pick) in words.iter().zip(&picks) {
            text = format!("{text}{word}{}", secrets[pick.index(secrets.len())]);
        }
        let shown = redactor(&secrets.iter().map(String::as_str).collect::<Vec<_>>()).redact(&text);
        for secret in &secrets {
            prop_assert!(!shown.contains(secret.as_str()), "{secret} is in {shown}");
        }
    }

    #[test]
    fn any_text_can_be_redacted(text in "(\\PC|://|@|\\?|&|eyJ)*") {
        drop(Redactor::default().redact(&text));
    }
}
