//! A Redis of one's own.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::keeper::{End, Keeper};
use super::{ServerError, Signal, free_port, program, signal, until};

/// How long a start may take on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(20);
const PACKAGE: &str = "redis-server";

/// A `redis-server` of our own, running or not.
#[derive(Debug)]
pub struct RedisServer {
    keeper: Option<Keeper>,
    folder: TempDir,
    /// Where it keeps its files: the folder, or a file system of its own.
    data: PathBuf,
    port: u16,
    args: Vec<String>,
    password: Option<String>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk; `args` (e.g. `--appendonly yes`) come after our own and win.
    ///
    /// # Errors
    /// When the program is missing or does not start.
    pub async fn start_with(args: &[&str]) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("tidemill-redis-").tempdir();
        let folder = folder.map_err(ServerError::system("create a folder"))?;
        let data = folder.path().to_owned();
        let password = args.iter().skip_while(|arg| **arg != "--requirepass").nth(1).map(|word| (*word).to_owned());
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        let mut server = Self { keeper: None, folder, data, port: free_port()?, args, password };
        server.start().await?;
        Ok(server)
    }

    /// Its URL, with the password if it asks for one.
    pub fn url(&self) -> String {
        let login = self.password.as_ref().map(|word| format!(":{word}@")).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its append-only file is.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// From the next start on, it keeps its data here, e.g. on a small file system.
    pub fn keep_data_in(&mut self, folder: &Path) {
        folder.clone_into(&mut self.data);
    }

    /// From now on, commands of [`cli`](Self::cli) are sent with this password.
    pub fn set_password(&mut self, password: Option<String>) {
        self.password = password;
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.keeper.as_ref().map(Keeper::pid)
    }

    /// Starts it again on the same port and folder; returns when it answers, also when it answers that it is loading.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        let mut command = Command::new(program::on_path("redis-server", PACKAGE)?);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(&self.data).arg("--logfile").arg(self.folder.path().join("redis.log"));
        command.args(["--daemonize", "no"]).args(&self.args);
        let log = File::create(self.folder.path().join("start.log")).map_err(ServerError::system("create a log"))?;
        self.keeper = Some(Keeper::start(self.folder.path(), &command, End::Kill, log)?);
        let address = self.address();
        until("redis-server answers", START_PATIENCE, async || answers(address).await.is_ok()).await
    }

    /// Kills it as a crash would: no last snapshot, no farewell.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.keeper.take().map_or(Ok(()), Keeper::kill)
    }

    /// Freezes it: the kernel still accepts connections and bytes, nobody answers.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn freeze(&self) -> Result<(), ServerError> {
        self.pid().map_or(Ok(()), |pid| signal(pid, Signal::STOP))
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn thaw(&self) -> Result<(), ServerError> {
        self.pid().map_or(Ok(()), |pid| signal(pid, Signal::CONT))
    }

    /// Runs one command as `redis-cli` does and returns what it printed.
    ///
    /// # Errors
    /// When `redis-cli` is missing.
    pub fn cli(&self, args: &[&str]) -> Result<String, ServerError> {
        let mut command = Command::new(program::on_path("redis-cli", "redis-tools")?);
        if let Some(password) = &self.password {
            command.env("REDISCLI_AUTH", password);
        }
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(args).stdin(Stdio::null());
        let output = command.output().map_err(ServerError::system("run redis-cli"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }
}

/// Any answer will do: a server that loads its data or wants a password is up.
async fn answers(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 1];
    stream.read_exact(&mut answer).await.map(drop)
}
