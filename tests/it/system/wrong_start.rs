//! What is wrong before anything runs is said in the first line, with an exit code of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use common::testing::RedisServer;
use tokio::process::Command;

use super::rig::SOON;
use crate::context::{Place, Ran};

/// Runs what must refuse to run.
async fn refused(args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let place = Place::new();
    let mut command = Command::from(place.command(args, variables));
    let ended = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let ended = tokio::time::timeout(SOON, ended).await;
    Ran::from(ended.unwrap_or_else(|_| panic!("{args:?} started nevertheless")).expect("our own program runs"))
}

fn first_line(ran: &Ran) -> &str {
    ran.err.lines().next().unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_flag_is_named_with_exit_code_2() {
    let ran = refused(&["worker", "--concurency", "4"], &[]).await;
    assert_eq!((ran.code, first_line(&ran)), (Some(2), "error: unexpected argument '--concurency' found"));
    assert!(ran.err.contains("'--concurrency'"), "{}", ran.err);
}

#[tokio::test]
async fn an_unknown_setting_is_named_with_exit_code_3() {
    for part in ["worker", "listener"] {
        let ran = refused(&[part], &[("TIDEMILL_WORKER__CONCURENCY", "4")]).await;
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        let first = first_line(&ran);
        assert!(first.starts_with("error[TM-101]: ") && first.contains("CONCURENCY"), "{}", ran.err);
        assert!(ran.err.contains("did you mean"), "{}", ran.err);
    }
}

#[tokio::test]
async fn an_unreachable_redis_is_named_with_exit_code_4() {
    let url = format!("redis://:CANARY@127.0.0.1:{}", free_port());
    for part in [&["worker"][..], &["listener", "--symbols", "BTCUSDT"], &["start"], &["queue", "ls"], &["dead", "ls"]]
    {
        let ran = refused(part, &[("REDIS_URL", &url)]).await;
        assert_eq!(ran.code, Some(4), "{part:?}: {}", ran.err);
        let first = ran.err.lines().find(|line| line.starts_with("error")).unwrap_or_default();
        assert!(first.starts_with("error[TM-301]: cannot reach the broker at 127.0.0.1:"), "{}", ran.err);
        assert!(!ran.err.contains("CANARY") && !ran.out.contains("CANARY"), "{}{}", ran.out, ran.err);
    }
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_told_from_an_absent_redis_with_exit_code_4() {
    let redis = RedisServer::start_with(&["--requirepass", "right"]).await;
    for login in ["", ":CANARY@"] {
        let url = format!("redis://{login}127.0.0.1:{}", redis.port());
        for part in [&["worker"][..], &["listener", "--symbols", "BTCUSDT"], &["start"]] {
            let ran = refused(part, &[("REDIS_URL", &url)]).await;
            assert_eq!(ran.code, Some(4), "{part:?} {url}: {}", ran.err);
            let first = ran.err.lines().find(|line| line.starts_with("error")).unwrap_or_default();
            assert!(first.starts_with("error[TM-303]: ") && first.contains("refused our credentials"), "{}", ran.err);
            assert!(!ran.err.contains("CANARY") && !ran.out.contains("CANARY"), "{}{}", ran.out, ran.err);
        }
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("a bound socket has an address").port().to_string();
    let ran = refused(&["exchange", "--port", &port], &[]).await;
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let first = first_line(&ran);
    assert!(first.starts_with("error[TM-204]: ") && first.contains(&port), "{}", ran.err);
    assert!(ran.err.contains("in use"), "{}", ran.err);
}

/// Free a moment ago: nobody listens there.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
