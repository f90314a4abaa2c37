//! A folder with everything a token may come from.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::credentials::{CredentialSources, Vault, VaultTimes};
use common::settings::{Environment, Settings, SettingsFile, Sources, resolve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Where one test's sources are.
pub(super) struct Place {
    folder: tempfile::TempDir,
    pub(super) environment: Environment,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Environment::default() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Settings with this text under `[credentials]`; `{}` stands for the folder.
    pub(super) fn settings(&self, credentials: &str) -> Settings {
        let folder = self.folder.path().display().to_string();
        let text = format!("data_dir = \"{folder}\"\n[credentials]\n{}\n", credentials.replace("{}", &folder));
        let file = Some(SettingsFile { path: "tidemill.toml".into(), text });
        resolve(&Sources { file, ..Sources::default() }).unwrap().settings
    }

    pub(super) fn sources(&self, credentials: &str) -> CredentialSources {
        CredentialSources::new(&self.settings(credentials), "fyers", &self.environment)
    }

    /// A vault that looks often: tests have no patience.
    pub(super) fn vault(&self, credentials: &str) -> Vault {
        let often = Duration::from_millis(20);
        Vault::new(Some(self.sources(credentials)), VaultTimes { share: Duration::ZERO, poll: often, ..patient() })
    }
}

/// As in production.
pub(super) fn patient() -> VaultTimes {
    VaultTimes::default()
}

/// An HTTP server that answers every request alike and remembers how often and with what it was asked.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) asked: Arc<AtomicUsize>,
    requests: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn answering(status: &'static str, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, asked: Arc::default(), requests: Arc::default() };
        let (asked, requests) = (Arc::clone(&server.asked), Arc::clone(&server.requests));
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 8_192];
                let mut length = 0;
                // Head and body may come in two packets.
                while !is_whole(&request[..length]) {
                    let read = socket.read(&mut request[length..]).await.unwrap();
                    assert_ne!(read, 0, "cut off in the middle of a request");
                    length += read;
                }
                asked.fetch_add(1, Ordering::Relaxed);
                requests.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        server
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| length.trim().parse::<usize>().unwrap() <= body.len())
}
