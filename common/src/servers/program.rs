//! Where this machine keeps the servers' programs, and as whom they run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ServerError;

/// Where programs are when nobody says.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program on the path.
pub(super) fn on_path(program: &'static str, package: &'static str) -> Result<PathBuf, ServerError> {
    find(program, Vec::new()).ok_or(ServerError::Missing { program, package })
}

/// A command that runs one of PostgreSQL's programs: on the path, or where Debian keeps them by version.
pub(super) fn postgres(program: &'static str) -> Result<Command, ServerError> {
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = packaged.map(|version| version.path().join("bin")).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(version_of(folder)));
    let file = find(program, folders).ok_or(ServerError::Missing { program, package: "postgresql" })?;
    Ok(match as_other_user() {
        None => Command::new(file),
        Some([setpriv, arguments @ ..]) => {
            let mut command = Command::new(setpriv);
            command.args(arguments).arg(file);
            command
        }
    })
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package creates.
pub(super) fn as_other_user() -> Option<[&'static str; 4]> {
    rustix::process::geteuid().is_root().then_some([
        "setpriv",
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
    ])
}

/// Runs a program to its end.
pub(super) fn run(command: &mut Command) -> Result<(), ServerError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(ServerError::system(format!("run {name}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(ServerError::Refused { what: name, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

fn find(program: &str, further: Vec<PathBuf>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into());
    std::env::split_paths(&path).chain(further).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn version_of(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}
