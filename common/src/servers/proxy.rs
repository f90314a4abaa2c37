//! A wire of one's own between a client and a server, which can be made as bad as any network.
//!
//! Every accepted connection gets one of its own to the target. What the wire does to them can be changed at any time
//! and holds for open and for new connections alike.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::ServerError;
use crate::clock;
use crate::shutdown::Shutdown;

/// Bytes that are carried at once.
const CHUNK: usize = 16 * 1_024;
/// Chunks on their way per connection and direction.
const CHUNKS_MAX: usize = 64;
/// After the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a wire does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Toxic {
    /// It carries everything at once.
    #[default]
    None,
    /// Everything arrives later by so much, in both directions.
    Latency(Duration),
    /// Nothing arrives, and connections stay open: a cut cable. What was sent arrives when it is whole again.
    BlackHole,
    /// Requests arrive, answers do not.
    HalfOpen,
    /// Open connections are reset, and new ones as soon as they are there.
    Reset,
    /// The next answer resets its connection instead of arriving: the request was carried out, and nobody knows.
    CutReplies,
    /// A connection that has carried so many more bytes from the server is reset.
    CutAfter(u64),
    /// So many bytes per second and direction.
    Throttle(u32),
    /// One byte of every chunk from the server has its highest bit set.
    Corrupt,
}

/// The wire. It is torn down when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    toxic: watch::Sender<Toxic>,
    stop: Shutdown,
}

impl Proxy {
    /// Lays a wire to `target` from a free port of this machine.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: SocketAddr) -> Result<Self, ServerError> {
        let cannot = || ServerError::system("listen for a proxy");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(cannot())?;
        let address = listener.local_addr().map_err(cannot())?;
        let (toxic, current) = watch::channel(Toxic::None);
        let stop = Shutdown::new();
        let until = stop.clone();
        let tasks = stop.clone();
        stop.spawn("proxy", async move { until.run_until(serve(listener, target, current, tasks)).await });
        Ok(Self { address, toxic, stop })
    }

    /// Where clients connect instead.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the wire does this.
    pub fn set(&self, toxic: Toxic) {
        self.toxic.send_replace(toxic);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.begin();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, toxic: watch::Receiver<Toxic>, tasks: Shutdown) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (toxic, until) = (toxic.clone(), tasks.clone());
        tasks.spawn("proxied connection", async move {
            // Whoever is cut off by the end of the wire notices by itself.
            until.run_until(connect(client, target, toxic)).await;
        });
    }
}

/// Carries one connection to its end.
async fn connect(mut client: TcpStream, target: SocketAddr, toxic: watch::Receiver<Toxic>) {
    if *toxic.borrow() == Toxic::Reset {
        return reset(&client);
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return reset(&client) };
    for stream in [&client, &server] {
        // Without it small answers would wait for each other, and the wire would be slower than it says.
        drop(stream.set_nodelay(true));
    }
    let end = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        tokio::select! {
            end = carry(from_client, to_server, toxic.clone(), Direction::Up) => end,
            end = carry(from_server, to_client, toxic, Direction::Down) => end,
        }
    };
    if end == End::Torn {
        reset(&client);
        reset(&server);
    }
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By one of its sides.
    Closed,
    /// By the wire.
    Torn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// Resets instead of closing in good order.
fn reset(stream: &TcpStream) {
    // Without it the end is a FIN: still an end.
    drop(stream.set_zero_linger());
}

async fn carry(from: ReadHalf<'_>, to: WriteHalf<'_>, toxic: watch::Receiver<Toxic>, direction: Direction) -> End {
    let (chunks, arriving) = mpsc::channel(CHUNKS_MAX);
    tokio::select! {
        end = read(from, chunks, toxic, direction) => end,
        end = write(to, arriving) => end,
    }
}

/// When a chunk was read, and what the wire did then.
type Chunk = (Instant, Toxic, Vec<u8>);

async fn read(
    mut from: ReadHalf<'_>,
    chunks: mpsc::Sender<Chunk>,
    mut toxic: watch::Receiver<Toxic>,
    direction: Direction,
) -> End {
    let mut carried = 0;
    loop {
        let now = *toxic.borrow_and_update();
        if now == Toxic::Reset {
            return End::Torn;
        }
        if now.stalls(direction) {
            carried = 0;
            match toxic.changed().await {
                Ok(()) => continue,
                Err(_) => return End::Closed,
            }
        }
        let mut chunk = vec![0; CHUNK];
        let bytes = tokio::select! {
            read = from.read(&mut chunk) => match read {
                Ok(bytes @ 1..) => bytes,
                Ok(0) | Err(_) => return End::Closed,
            },
            _ = toxic.changed() => {
                carried = 0;
                continue;
            }
        };
        chunk.truncate(bytes);
        carried += bytes as u64;
        match now.outcome(direction, carried) {
            Outcome::Arrives => {}
            Outcome::Spoilt => chunk[bytes / 2] |= 0x80,
            Outcome::Torn => return End::Torn,
        }
        if chunks.send((Instant::from_std(clock::monotonic()), now, chunk)).await.is_err() {
            return End::Closed;
        }
    }
}

async fn write(mut to: WriteHalf<'_>, mut arriving: mpsc::Receiver<Chunk>) -> End {
    while let Some((read_at, toxic, chunk)) = arriving.recv().await {
        match toxic {
            Toxic::Latency(latency) => sleep_until(read_at + latency).await,
            Toxic::Throttle(rate) => {
                sleep(Duration::from_secs(1) * u32::try_from(chunk.len()).unwrap_or(u32::MAX) / rate.max(1)).await;
            }
            Toxic::None
            | Toxic::BlackHole
            | Toxic::HalfOpen
            | Toxic::Reset
            | Toxic::CutReplies
            | Toxic::CutAfter(_)
            | Toxic::Corrupt => {}
        }
        if to.write_all(&chunk).await.is_err() {
            return End::Closed;
        }
    }
    End::Closed
}

enum Outcome {
    Arrives,
    Spoilt,
    Torn,
}

impl Toxic {
    fn stalls(self, direction: Direction) -> bool {
        self == Self::BlackHole || (self == Self::HalfOpen && direction == Direction::Down)
    }

    fn outcome(self, direction: Direction, carried: u64) -> Outcome {
        match self {
            Self::Reset => Outcome::Torn,
            Self::CutReplies if direction == Direction::Down => Outcome::Torn,
            Self::CutAfter(bytes) if direction == Direction::Down && bytes < carried => Outcome::Torn,
            Self::Corrupt if direction == Direction::Down => Outcome::Spoilt,
            Self::None
            | Self::Latency(_)
            | Self::BlackHole
            | Self::HalfOpen
            | Self::CutReplies
            | Self::CutAfter(_)
            | Self::Throttle(_)
            | Self::Corrupt => Outcome::Arrives,
        }
    }
}
