//! Recordings that lie beside the project, see `SOURCE.md` there.

use std::io::Read;
use std::path::Path;

/// The text of a recording, unpacked when it is a `.gz`.
///
/// `None`, said aloud, where the recordings are not at hand; under `CI=true` that is a failure.
#[expect(clippy::print_stdout, reason = "a test that could not look says so")]
pub(crate) fn read(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures").join(name);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{name}: {error}");
            println!("not tested: the recording {name} is not here ({error})");
            return None;
        }
    };
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).expect("a whole gzip file");
    } else {
        text = String::from_utf8(bytes).expect("recordings are text");
    }
    Some(text)
}
