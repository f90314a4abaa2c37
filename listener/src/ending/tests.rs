use super::*;

fn closed(code: u16, text: &str) -> End {
    End::closed(Some(&CloseFrame { code: code.into(), reason: text.into() }))
}

#[test]
fn every_close_code_has_words_and_a_pace() {
    let table: Vec<String> = [1000, 1001, 1006, 1008, 1011, 1012, 1013, 3000, 4001, 4429, 77]
        .map(|code| match closed(code, "").then() {
            Then::Reconnect(Pace::AtOnce) => format!("{}: at once", closed(code, "")),
            Then::Reconnect(Pace::Usual) => format!("{}: usual", closed(code, "")),
            Then::Reconnect(Pace::Slow { .. }) => format!("{}: slow", closed(code, "")),
            Then::Stop | Then::Finish | Then::LogIn => format!("{}: never", closed(code, "")),
        })
        .into();
    let expected = [
        "server closed: 1000 normal end: usual",
        "server closed: 1001 going away: usual",
        "server closed: 1006 abnormal end: usual",
        "server closed: 1008 policy violation: slow",
        "server closed: 1011 server error: usual",
        "server closed: 1012 service restart: usual",
        "server closed: 1013 try again later: slow",
        "server closed: 3000 registered code: slow",
        "server closed: 4001 provider's own code: slow",
        "server closed: 4429 provider's own code: slow",
        "server closed: 77 unknown code: usual",
    ];
    assert_eq!(table, expected);
}

#[test]
fn a_goodbye_without_a_frame_has_its_own_code() {
    assert_eq!(End::closed(None).to_string(), "server closed: 1005 no reason given");
}

#[test]
fn foreign_text_is_shown_on_one_line_and_cut() {
    let end = closed(1000, "bye\nnow");
    assert_eq!(end.to_string(), "server closed: 1000 normal end (bye now)");
    assert_eq!(readable(&"x".repeat(5_000)).len(), TEXT_CHARS_MAX);
}

#[test]
fn a_provider_that_names_a_delay_is_obeyed() {
    let mut response = http::Response::new(None);
    *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(http::header::RETRY_AFTER, "120".parse().unwrap());
    let end = End::from_handshake(Error::Http(Box::new(response)));
    assert_eq!(end.to_string(), "server refused the WebSocket with HTTP status 429");
    assert_eq!(end.then(), Then::Reconnect(Pace::Slow { at_least: Some(Duration::from_mins(2)) }));
}

#[test]
fn only_a_person_helps_after_a_final_refusal_or_a_bad_url() {
    let refused = End::Failed(Failure { remedy: Remedy::Stop, reason: "account closed".into() });
    assert_eq!((refused.then(), End::BadUrl(String::new()).then()), (Then::Stop, Then::Stop));
}

#[test]
fn frames_that_end_a_session_are_counted_by_reason() {
    let too_long = Error::Capacity(CapacityError::MessageTooLong { size: 9, max_size: 8 });
    let end = End::from_socket(too_long);
    assert_eq!(
        (end.to_string().as_str(), end.rejects()),
        ("message too large: 9 bytes of at most 8", Some("too_large"))
    );
    assert_eq!(End::from_socket(Error::Utf8("x".into())).rejects(), Some("not_utf8"));
    assert_eq!(End::Shutdown.rejects(), None);
}
