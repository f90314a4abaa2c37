//! What may be shown of a token: where it is, its fingerprint, its time. Never the token.

use common::clock::UnixMicros;
use common::credentials::{Answer, Asked, SourceKind, Token};
use serde_json::{Value as Json, json};

use crate::amount::age;
use crate::columns::{Align, columns};
use crate::output::printable;

/// Sources that were not asked, because one before them has a token.
type Behind = [(SourceKind, String)];

/// `expires at 2025-11-26T22:30:00Z, in 9 h 12 min`, if the token says so.
pub(super) fn until(token: &Token, now: UnixMicros) -> Option<String> {
    token.expires_at.map(|at| format!("expires at {at}, in {}", age(now.age_at(at))))
}

/// The token that counts, then every source.
pub(super) fn as_text(feed: &str, asked: &[Asked], behind: &Behind, now: UnixMicros) -> String {
    let mut lines = vec![format!("feed         {feed}\n")];
    if let Some((winner, token)) = asked.last().and_then(|last| Some((last, last.token()?))) {
        lines.push(format!("source       {} {}\n", winner.source.name(), printable(&winner.place)));
        lines.push(format!("fingerprint  {}\n", token.fingerprint));
        lines.push(format!("expires      {}\n", expiry(token, now)));
        if let Some(at) = token.set_at {
            lines.push(format!("set          {} ago\n", age(at.age_at(now))));
        }
    }
    lines.push("\n".to_owned());
    let head = [("SOURCE", Align::Left), ("PLACE", Align::Left), ("ANSWER", Align::Left)];
    let row =
        |source: SourceKind, place: &str, answer: String| vec![source.name().to_owned(), printable(place), answer];
    let said = asked.iter().map(|asked| row(asked.source, &asked.place, printable(&words(&asked.answer))));
    let silent = behind.iter().map(|(source, place)| row(*source, place, "not asked".to_owned()));
    lines.push(columns(&head, &said.chain(silent).collect::<Vec<_>>()));
    lines.concat()
}

fn expiry(token: &Token, now: UnixMicros) -> String {
    match token.expires_at {
        Some(at) => format!("{at}, in {}", age(now.age_at(at))),
        None => "unknown".to_owned(),
    }
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Token(token) => format!("token {}", token.fingerprint),
        Answer::Expired { fingerprint, at } => format!("token {fingerprint}, ran out at {at}"),
        Answer::Refused(fingerprint) => format!("token {fingerprint}, refused by the provider"),
        Answer::Nothing(why) => why.clone(),
        Answer::Trouble(why) => format!("trouble: {why}"),
    }
}

/// The same for scripts.
pub(super) fn as_json(feed: &str, asked: &[Asked], behind: &Behind) -> Json {
    let winner = asked.last().and_then(|last| Some((last, last.token()?)));
    let token = winner.map(|(winner, token)| {
        json!({
            "source": winner.source.name(),
            "place": winner.place,
            "fingerprint": token.fingerprint.to_string(),
            "expires_at": token.expires_at.map(|at| at.to_string()),
            "set_at": token.set_at.map(|at| at.to_string()),
        })
    });
    let entry = |source: SourceKind, place: &str, word: &str, text: Option<String>| json!({ "source": source.name(), "place": place, "answer": word, "text": text });
    let said =
        asked.iter().map(|asked| entry(asked.source, &asked.place, word(&asked.answer), Some(words(&asked.answer))));
    let silent = behind.iter().map(|(source, place)| entry(*source, place, "not_asked", None));
    json!({ "schema": 1, "feed": feed, "token": token, "sources": said.chain(silent).collect::<Vec<_>>() })
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Token(_) => "token",
        Answer::Expired { .. } => "expired",
        Answer::Refused(_) => "refused",
        Answer::Nothing(_) => "none",
        Answer::Trouble(_) => "trouble",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMicros = UnixMicros(1_763_726_400_000_000);

    fn asked() -> Vec<Asked> {
        let token = Token::parse("CANARY").unwrap();
        let later = UnixMicros(NOW.0 + 33_120_000_000);
        let expired = Answer::Expired { fingerprint: token.fingerprint, at: UnixMicros(NOW.0 - 60_000_000) };
        let token = token.or_expiring_at(Some(later)).set_at(Some(UnixMicros(NOW.0 - 7_380_000_000)));
        let asked = |source, place: &str, answer| Asked { source, place: place.to_owned(), answer };
        vec![
            asked(SourceKind::File, "/run/secrets/\u{1b}fyers", expired),
            asked(SourceKind::Variable, "TIDEMILL_TOKEN", Answer::Nothing("not set".to_owned())),
            asked(SourceKind::Table, "access_token at sqlite:market.db", Answer::Token(token)),
        ]
    }

    fn behind() -> Vec<(SourceKind, String)> {
        vec![(SourceKind::Command, "./login".to_owned())]
    }

    #[test]
    fn the_token_that_counts_and_every_source_are_shown_but_no_token() {
        let shown = as_text("fyers", &asked(), &behind(), NOW);
        insta::assert_snapshot!(shown, @r#"
        feed         fyers
        source       table access_token at sqlite:market.db
        fingerprint  fe0344af3e43
        expires      2025-11-21T21:12:00Z, in 9 h 12 min
        set          2 h 3 min ago

        SOURCE    PLACE                             ANSWER
        file      /run/secrets/\u{1b}fyers          token fe0344af3e43, ran out at 2025-11-21T11:59:00Z
        variable  TIDEMILL_TOKEN                    not set
        table     access_token at sqlite:market.db  token fe0344af3e43
        command   ./login                           not asked
        "#);
        assert!(!shown.contains("CANARY") && !shown.contains('\u{1b}'));
    }

    #[test]
    fn without_a_token_only_the_sources_are_shown() {
        let shown = as_text("fyers", &asked()[..2], &[], NOW);
        assert!(!shown.contains("fingerprint") && shown.contains("not set"), "{shown}");
    }

    #[test]
    fn the_json_form_is_frozen() {
        insta::assert_snapshot!(as_json("fyers", &asked(), &behind()).to_string(), @r#"{"feed":"fyers","schema":1,"sources":[{"answer":"expired","place":"/run/secrets/\u001bfyers","source":"file","text":"token fe0344af3e43, ran out at 2025-11-21T11:59:00Z"},{"answer":"none","place":"TIDEMILL_TOKEN","source":"variable","text":"not set"},{"answer":"token","place":"access_token at sqlite:market.db","source":"table","text":"token fe0344af3e43"},{"answer":"not_asked","place":"./login","source":"command","text":null}],"token":{"expires_at":"2025-11-21T21:12:00Z","fingerprint":"fe0344af3e43","place":"access_token at sqlite:market.db","set_at":"2025-11-21T09:57:00Z","source":"table"}}"#);
    }
}
