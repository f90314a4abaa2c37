//! A PostgreSQL server of a test's own: free port, temporary directory, gone when the test process is gone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::eventually;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "tidemill";
/// The server listens on this machine only and lives as long as the test.
const PASSWORD: &str = "only-for-tests";

/// Runs the server until our standard input closes, however the test process ends, and then removes its folder; the
/// word `keep` leaves the folder for another start.
const KEEPER: &str = r#"folder=$1; shift; "$@" </dev/null & server=$!; trap '' INT; read -r word
kill -INT "$server"; wait "$server"; [ "$word" = keep ] || rm -rf "$folder""#;

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's defaults.
    Full,
    /// Nothing is forced to disk: faster tests.
    None,
}

/// A running (or stopped) server.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    port: u16,
    durability: Durability,
    keeper: std::sync::Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Creates a database cluster and starts its server.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start(durability: Durability) -> Self {
        let folder = tempfile::Builder::new().prefix("tidemill-postgres-").tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if as_other_user().is_some() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()));
        }
        run(&mut command("initdb", |initdb| {
            initdb.arg("--pgdata").arg(folder.path().join("data"));
            initdb.args(["--auth=scram-sha-256", "--username", USER, "--locale=C", "--encoding=UTF8", "--no-sync"]);
            initdb.arg("--pwfile").arg(&password);
        }));
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let (keeper, databases) = (std::sync::Mutex::default(), AtomicU32::default());
        let server = Self { folder, port, durability, keeper, databases };
        server.resume().await;
        server
    }

    /// A new, empty database; its URL.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        sql(&self.url("postgres"), &format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Stops the server: open sessions are ended, what was committed stays.
    ///
    /// # Panics
    /// When it does not stop in time.
    pub async fn stop(&self) {
        self.end(b"keep\n");
        eventually("the server stops", PATIENCE, async || !self.folder.path().join("data/postmaster.pid").exists())
            .await;
    }

    /// Starts a stopped server again, on the same port.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub async fn resume(&self) {
        let (fsync, commit) = match self.durability {
            Durability::Full => ("fsync=on", "synchronous_commit=on"),
            Durability::None => ("fsync=off", "synchronous_commit=off"),
        };
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let postgres = command("postgres", |postgres| {
            postgres.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
            for setting in
                [fsync, commit, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60"]
            {
                postgres.args(["-c", setting]);
            }
        });
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(self.folder.path())
            .arg(postgres.get_program())
            .args(postgres.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.keeper.lock().unwrap() = Some(keeper);
        let url = self.url("postgres");
        eventually("the server answers", PATIENCE, async || tokio_postgres::connect(&url, NoTls).await.is_ok()).await;
    }

    /// Stops and starts it.
    pub async fn restart(&self) {
        self.stop().await;
        self.resume().await;
    }

    /// Stands still with all its sessions, as under a frozen disk: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Goes on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let postmaster = file.lines().next().unwrap().to_owned();
        let sessions = Command::new("ps").args(["-o", "pid=", "--ppid", &postmaster]).output().unwrap().stdout;
        let sessions = String::from_utf8(sessions).unwrap();
        // A session may end between the two commands, and then it needs no signal.
        let sent = Command::new("kill").arg(signal).arg(&postmaster).args(sessions.split_whitespace()).output();
        drop(sent.unwrap());
    }

    fn end(&self, word: &[u8]) {
        let keeper = self.keeper.lock().unwrap().take();
        if let Some(mut keeper) = keeper {
            keeper.stdin.take().unwrap().write_all(word).unwrap();
            keeper.wait().unwrap();
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.end(b"");
    }
}

/// Runs statements and returns the rows of all of them as text.
///
/// # Panics
/// When the server refuses.
pub async fn sql(url: &str, statements: &str) -> Vec<Vec<Option<String>>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let query = async {
        let messages = client.simple_query(statements).await.unwrap();
        messages
            .into_iter()
            .filter_map(|message| {
                let SimpleQueryMessage::Row(row) = message else { return None };
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            })
            .collect()
    };
    tokio::select! {
        rows = query => rows,
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package creates.
fn as_other_user() -> Option<[&'static str; 4]> {
    let id = Command::new("id").arg("-u").output().unwrap().stdout;
    (id.trim_ascii() == b"0").then_some(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"])
}

fn command(program: &str, arguments: impl FnOnce(&mut Command)) -> Command {
    let program = find(program);
    let mut command = match as_other_user() {
        None => Command::new(program),
        Some([setpriv, arguments @ ..]) => {
            let mut command = Command::new(setpriv);
            command.args(arguments).arg(program);
            command
        }
    };
    arguments(&mut command);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// On the path, or where Debian keeps the servers of its packages.
fn find(program: &str) -> PathBuf {
    let path = Command::new("sh").args(["-c", "printf %s \"$PATH\""]).output().unwrap().stdout;
    let path = String::from_utf8(path).unwrap();
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = packaged.map(|version| version.path().join("bin")).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(version_of(folder)));
    std::env::split_paths(OsStr::new(&path))
        .chain(folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed: run `apt-get install postgresql`"))
}

fn version_of(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}
