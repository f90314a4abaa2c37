//! The bytes of a master, and the text in them. Blocking.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;

use crate::http::{self, HttpLimits};

/// Largest file or answer. The largest master known has about 6 MB as it is sent.
const BYTES_MAX: u64 = 256 << 20;

/// One download.
const DOWNLOAD: HttpLimits =
    HttpLimits { patience: Duration::from_mins(1), answer_bytes_max: BYTES_MAX, redirects_max: 3 };

/// Largest text, unpacked: a small file must not fill the memory.
const TEXT_BYTES_MAX: u64 = 512 << 20;

/// A gzip file begins so, whatever its name or content type says.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads an address. The error never holds it.
pub(super) fn download(url: &str) -> Result<Vec<u8>, String> {
    let (status, bytes) = http::download(url, DOWNLOAD).map_err(|error| error.to_string())?;
    if (200..300).contains(&status) { Ok(bytes) } else { Err(format!("the server answers with status {status}")) }
}

/// Reads a file.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    capped(file, BYTES_MAX, "the file")
}

/// The text, unpacked where it is packed. What is no UTF-8 is replaced: names may be, symbols are not.
pub(super) fn text(bytes: &[u8]) -> Result<String, String> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    let unpacked = capped(MultiGzDecoder::new(bytes), TEXT_BYTES_MAX, "the unpacked text")?;
    Ok(String::from_utf8(unpacked).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn capped(from: impl Read, bytes_max: u64, what: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = from.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes_max < u64::try_from(read).unwrap_or(u64::MAX) {
        return Err(format!("{what} is larger than {} MiB", bytes_max >> 20));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn gzip_is_told_by_its_first_bytes() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all("[{}]".as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        assert_eq!(text(&packed).as_deref(), Ok("[{}]"));
        assert_eq!(text(b"a,b").as_deref(), Ok("a,b"));
        assert!(text(&packed[..packed.len() - 4]).is_err(), "cut off");
    }

    #[test]
    fn too_much_is_refused() {
        assert_eq!(capped(&[0; 10][..], 10, "it").map(|bytes| bytes.len()), Ok(10));
        assert!(capped(&[0; 11][..], 10, "it").unwrap_err().contains("larger"));
    }
}
