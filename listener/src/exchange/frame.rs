//! WebSocket frames of a server (RFC 6455 section 5.2): never masked, never fragmented.
//!
//! Data frames are laid one behind the other in a plain buffer and written with one system call; the connection's
//! WebSocket library only reads, and answers pings.

/// A frame's kind (RFC 6455 section 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Text = 0x1,
    Binary = 0x2,
}

const FINAL: u8 = 0x80;

/// Appends a whole frame.
pub(super) fn append(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.push(FINAL | opcode as u8);
    if let Ok(length @ 0..126) = u8::try_from(payload.len()) {
        out.push(length);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        out.push(126);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(127);
        out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(length: usize) -> Vec<u8> {
        let mut out = Vec::new();
        append(&mut out, Opcode::Text, &vec![b'x'; length]);
        out.truncate(out.len() - length);
        out
    }

    #[test]
    fn the_length_takes_one_three_or_nine_bytes() {
        assert_eq!(head(0), [0x81, 0]);
        assert_eq!(head(125), [0x81, 125]);
        assert_eq!(head(126), [0x81, 126, 0, 126]);
        assert_eq!(head(65_535), [0x81, 126, 0xff, 0xff]);
        assert_eq!(head(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }
}
