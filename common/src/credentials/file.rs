//! A file that holds the token and nothing else.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use tracing::warn;

use super::Answer;
use super::token::{BadToken, Token};
use crate::clock::UnixMicros;
use crate::settings::read_short;

/// The file, by its path: whatever is there when it is asked.
#[derive(Debug)]
pub(super) struct FileSource {
    pub(super) path: PathBuf,
    has_warned: Arc<AtomicBool>,
}

impl FileSource {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, has_warned: Arc::default() }
    }

    pub(super) async fn ask(&self) -> Answer {
        let (path, has_warned) = (self.path.clone(), Arc::clone(&self.has_warned));
        let read = tokio::task::spawn_blocking(move || read(&path, &has_warned));
        read.await.unwrap_or_else(|broken| Answer::Trouble(format!("broke down by a bug: {broken}")))
    }
}

fn read(path: &Path, has_warned: &AtomicBool) -> Answer {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Answer::Nothing("no such file".to_owned()),
        Err(error) => return Answer::Trouble(error.to_string()),
    };
    if !metadata.is_file() {
        // A pipe would keep us waiting.
        return Answer::Trouble("it is no ordinary file".to_owned());
    }
    let text = match read_short(path) {
        Ok(text) => text,
        Err(problem) => return Answer::Trouble(problem),
    };
    // Only a warning: container platforms mount secrets that way.
    if is_open_to_all(&metadata) && !has_warned.swap(true, Ordering::Relaxed) {
        warn!("everybody on this machine can read the token in {}: chmod 600 it", path.display());
    }
    parsed(&text, |token| token.set_at(changed_at(&metadata)))
}

/// A text that a source gave, as its answer.
pub(super) fn parsed(text: &str, finish: impl FnOnce(Token) -> Token) -> Answer {
    match Token::parse(text) {
        Ok(token) => Answer::Token(finish(token)),
        Err(empty @ BadToken::Empty) => Answer::Nothing(empty.to_string()),
        Err(bad) => Answer::Trouble(bad.to_string()),
    }
}

fn changed_at(metadata: &Metadata) -> Option<UnixMicros> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(UnixMicros)
}

#[cfg(unix)]
fn is_open_to_all(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn is_open_to_all(_metadata: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_anew_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let source = FileSource::new(folder.path().join("token"));
        assert!(matches!(source.ask().await, Answer::Nothing(why) if why == "no such file"));
        for text in ["first\n", "second\r\n", "third"] {
            fs::write(&source.path, text).unwrap();
            let Answer::Token(token) = source.ask().await else { panic!("no token") };
            assert_eq!(token.secret.expose_secret(), text.trim_end());
            assert!(token.set_at.unwrap().age_at(crate::clock::now()).as_secs() < 60);
        }
        fs::write(&source.path, "\n").unwrap();
        assert!(matches!(source.ask().await, Answer::Nothing(why) if why == "it is empty"));
    }

    #[tokio::test]
    async fn what_holds_no_token_is_trouble_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let source = FileSource::new(folder.path().join("token"));
        let long = vec![b'x'; 100_000];
        for bytes in [&b"CANARY\nCANARY"[..], b"\xff\xfeCANARY", &long] {
            fs::write(&source.path, bytes).unwrap();
            let answer = source.ask().await;
            assert!(matches!(answer, Answer::Trouble(_)), "{answer:?}");
            assert!(!format!("{answer:?}").contains("CANARY"));
        }
        assert!(matches!(FileSource::new(folder.path().to_owned()).ask().await, Answer::Trouble(_)));
    }

    #[test]
    #[cfg(unix)]
    fn only_a_file_that_everybody_can_read_is_warned_about_and_once() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "abc").unwrap();
        let has_warned = AtomicBool::new(false);
        for (mode, warned) in [(0o600, false), (0o640, false), (0o604, true), (0o600, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&path, &has_warned), Answer::Token(_)));
            assert_eq!(has_warned.load(Ordering::Relaxed), warned, "{mode:o}");
        }
    }
}
