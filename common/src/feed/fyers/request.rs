//! The frames that we send, byte for byte as the official library sends them.
//!
//! ```text
//! frame := u16 length, u8 type, u8 fields, fields x ( u8 id, u16 length, bytes )     all big-endian
//! ```
//!
//! The server does not look at a frame's length: the library counts the token into that of subscriptions and leaves it
//! zero in the mode's frame.

/// What the server is told of the client, in the official library's words: others are not promised to be served.
const SOURCE: &str = "PythonSDK-3.2.0";

/// The channel that carries everything. Channels can be paused one by one; subscribing on another pauses the rest.
const CHANNEL: u8 = 11;

/// Sent every ten seconds; nothing answers it.
pub(super) const PING: [u8; 3] = [0, 1, 11];

/// How much each message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Last price only.
    Lite,
    /// All fields that changed.
    Full,
}

/// Opens the socket for the holder of `key`.
pub(super) fn auth(key: &str) -> Vec<u8> {
    let length = 16 + key.len() + SOURCE.len();
    frame(length, 1, &[(1, key.as_bytes()), (2, b"P"), (3, &[1]), (4, SOURCE.as_bytes())])
}

/// Acknowledges everything up to this message.
pub(super) fn acknowledge(message: u32) -> Vec<u8> {
    frame(9, 3, &[(1, &message.to_be_bytes())])
}

/// Asks for `topics`, whose number and length the caller keeps within [`fits`].
pub(super) fn subscribe(topics: &[&str], token_bytes: usize) -> Vec<u8> {
    about_topics(4, topics, token_bytes)
}

/// Asks for `topics` no longer.
pub(super) fn unsubscribe(topics: &[&str], token_bytes: usize) -> Vec<u8> {
    about_topics(5, topics, token_bytes)
}

/// Chooses the mode of the channel.
pub(super) fn mode(mode: Mode) -> Vec<u8> {
    let mask = 1_u64 << CHANNEL;
    let letter = match mode {
        Mode::Lite => b"L",
        Mode::Full => b"F",
    };
    frame(0, 12, &[(1, &mask.to_be_bytes()), (2, letter)])
}

/// Whether a frame may hold this many topics with this many letters together.
pub(super) fn fits(topics: usize, letters: usize) -> bool {
    topics <= super::LIMITS.streams_per_message && u16::try_from(2 + topics + letters).is_ok()
}

fn about_topics(kind: u8, topics: &[&str], token_bytes: usize) -> Vec<u8> {
    let mut list = short(topics.len()).to_vec();
    for topic in topics {
        list.push(u8::try_from(topic.len()).unwrap_or(u8::MAX));
        list.extend(topic.as_bytes());
    }
    frame(18 + list.len() + token_bytes + SOURCE.len(), kind, &[(1, &list), (2, &[CHANNEL])])
}

fn frame(length: usize, kind: u8, fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = short(length).to_vec();
    out.extend([kind, u8::try_from(fields.len()).unwrap_or(u8::MAX)]);
    for (id, bytes) in fields {
        out.push(*id);
        out.extend(short(bytes.len()));
        out.extend(*bytes);
    }
    out
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_documented_layout() {
        assert_eq!(acknowledge(1_002), [0, 9, 3, 1, 1, 0, 4, 0, 0, 3, 0xEA]);
        assert_eq!(mode(Mode::Lite), [0, 0, 12, 2, 1, 0, 8, 0, 0, 0, 0, 0, 0, 8, 0, 2, 0, 1, b'L']);
        let auth = auth("abcd");
        assert_eq!((&auth[..7], &auth[7..11]), (&[0, 35, 1, 4, 1, 0, 4][..], &b"abcd"[..]));
        assert_eq!(auth.len(), 2 + 35, "here the length is the true one");
        let subscribe = subscribe(&["sf|nse_cm|22", "if|x|y"], 100);
        // The length counts 18, the list, the token and the source.
        assert_eq!(subscribe[..9], [0, 18 + 22 + 100 + 15, 4, 2, 1, 0, 22, 0, 2]);
        assert_eq!(&subscribe[9..22], b"\x0csf|nse_cm|22");
        assert_eq!(&subscribe[22..], b"\x06if|x|y\x02\0\x01\x0b");
    }

    #[test]
    fn a_frame_holds_fifteen_hundred_topics_and_never_more_letters_than_its_length_can_say() {
        assert!(fits(1_500, 1_500 * 20) && !fits(1_501, 0) && !fits(1_500, 65_535));
    }
}
