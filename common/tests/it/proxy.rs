//! A wire does what it is told, to open and to new connections.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use common::clock;
use common::servers::{Proxy, Toxic};
use common::testing::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(10);
/// So long nothing may come: the loopback interface needs a thousandth of it.
const SILENCE: Duration = Duration::from_millis(200);

/// Answers every byte with the same byte.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn wire() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(echo().await).await.expect("a wire");
    let client = TcpStream::connect(proxy.address()).await.expect("a connection");
    (proxy, client)
}

async fn ask(client: &mut TcpStream) -> std::io::Result<u8> {
    client.write_all(b"a").await?;
    client.read_u8().await
}

#[tokio::test]
async fn a_good_wire_carries_everything() {
    let (_proxy, mut client) = wire().await;
    let sent: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let (mut from, mut to) = client.split();
    let mut received = vec![0; sent.len()];
    let (written, read) = tokio::join!(to.write_all(&sent), from.read_exact(&mut received));
    written.unwrap();
    read.unwrap();
    assert_eq!(received, sent);
}

#[tokio::test]
async fn what_a_cut_cable_swallows_arrives_when_it_is_whole_again() {
    let (proxy, mut client) = wire().await;
    for toxic in [Toxic::BlackHole, Toxic::HalfOpen] {
        proxy.set(toxic);
        assert!(tokio::time::timeout(SILENCE, ask(&mut client)).await.is_err(), "{toxic:?}");
        proxy.set(Toxic::None);
        assert_eq!(client.read_u8().await.unwrap(), b'a', "{toxic:?}");
    }
}

#[tokio::test]
async fn a_torn_wire_resets_open_and_new_connections() {
    let (proxy, mut client) = wire().await;
    assert_eq!(ask(&mut client).await.unwrap(), b'a');
    proxy.set(Toxic::Reset);
    assert_eq!(client.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut another = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(ask(&mut another).await.is_err());
    proxy.set(Toxic::None);
    eventually("the wire is whole", SOON, async || {
        let mut again = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut again).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_cut_reply_leaves_the_request_carried_out() {
    let (proxy, mut client) = wire().await;
    proxy.set(Toxic::CutReplies);
    assert!(ask(&mut client).await.is_err());
    proxy.set(Toxic::CutAfter(2));
    let mut another = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!([ask(&mut another).await.unwrap(), ask(&mut another).await.unwrap()], *b"aa");
    assert!(ask(&mut another).await.is_err());
}

#[tokio::test]
async fn a_slow_wire_is_slow_and_a_noisy_one_shows() {
    let (proxy, mut client) = wire().await;
    proxy.set(Toxic::Latency(Duration::from_millis(50)));
    let asked = clock::monotonic();
    assert_eq!(ask(&mut client).await.unwrap(), b'a');
    assert!(Duration::from_millis(100) <= asked.elapsed(), "both ways");
    proxy.set(Toxic::Corrupt);
    assert_eq!(ask(&mut client).await.unwrap(), b'a' | 0x80);
    proxy.set(Toxic::Throttle(10));
    let asked = clock::monotonic();
    assert_eq!(ask(&mut client).await.unwrap(), b'a');
    assert!(Duration::from_millis(200) <= asked.elapsed(), "a tenth of a second for each byte, both ways");
}
