//! The frames that the server sends, taken apart.
//!
//! ```text
//! answer   := u16 length, u8 type, u8 fields, fields x ( u8 id, u16 length, bytes )
//! data     := u16 length, u8 6, u32 number, u16 entries, entries
//! snapshot := "S", u16 topic id, u8 + topic, u8 count, count x i32, 2 bytes, u16 multiplier, u8 precision, 3 x (u8 + text)
//! update   := "U", u16 topic id, u8 count, count x i32
//! lite     := "L", u16 topic id, i32
//! ```
//!
//! A value is absent when it is the least of all `i32`. The topic id's byte order is not known; it is only compared.

/// Reads bytes from the front; `None` once there are too few.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'f>(pub(super) &'f [u8]);

impl<'f> Bytes<'f> {
    fn take(&mut self, length: usize) -> Option<&'f [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// One byte of length, and so many.
    fn text(&mut self) -> Option<&'f [u8]> {
        let length = self.u8()?;
        self.take(length.into())
    }
}

/// A field of an answer, after the frame's head.
pub(super) fn field(mut body: Bytes<'_>, wanted: u8) -> Option<&[u8]> {
    for _ in 0..body.u8()? {
        let (id, length) = (body.u8()?, body.u16()?);
        let bytes = body.take(length.into())?;
        if id == wanted {
            return Some(bytes);
        }
    }
    None
}

/// A field that holds a number of up to four bytes.
pub(super) fn number(body: Bytes<'_>, wanted: u8) -> Option<u32> {
    let bytes = field(body, wanted).filter(|bytes| (1..=4).contains(&bytes.len()))?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// Whether an answer says `K`: ok.
pub(super) fn is_ok(body: Bytes<'_>) -> bool {
    field(body, 1) == Some(b"K")
}

/// The values of an entry, by their place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'f>(&'f [u8]);

impl Values<'_> {
    /// Each value, `None` where it is absent.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<i32>> {
        let (values, _) = self.0.as_chunks::<4>();
        values.iter().map(|bytes| present(i32::from_be_bytes(*bytes)))
    }
}

/// One entry of a data frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'f> {
    Snapshot { id: u16, topic: &'f [u8], values: Values<'f>, multiplier: u16, precision: u8 },
    Update { id: u16, values: Values<'f> },
    Lite { id: u16, price: Option<i32> },
}

/// Takes the next entry off; the reason why it and the rest of the frame cannot be read otherwise.
pub(super) fn entry<'f>(bytes: &mut Bytes<'f>) -> Result<Entry<'f>, &'static str> {
    let kind = bytes.u8().ok_or("short_frame")?;
    let entry = match kind {
        b'S' => snapshot(bytes),
        b'U' => update(bytes),
        b'L' => lite(bytes),
        _ => return Err("unknown_entry"),
    };
    entry.ok_or("short_frame")
}

fn snapshot<'f>(bytes: &mut Bytes<'f>) -> Option<Entry<'f>> {
    let (id, topic, values) = (bytes.u16()?, bytes.text()?, values(bytes)?);
    bytes.take(2)?;
    let (multiplier, precision) = (bytes.u16()?, bytes.u8()?);
    // Exchange, the exchange's token and its symbol: the topic has said it all.
    for _ in 0..3 {
        bytes.text()?;
    }
    Some(Entry::Snapshot { id, topic, values, multiplier, precision })
}

fn update<'f>(bytes: &mut Bytes<'f>) -> Option<Entry<'f>> {
    Some(Entry::Update { id: bytes.u16()?, values: values(bytes)? })
}

fn lite<'f>(bytes: &mut Bytes<'f>) -> Option<Entry<'f>> {
    Some(Entry::Lite { id: bytes.u16()?, price: present(bytes.array().map(i32::from_be_bytes)?) })
}

fn values<'f>(bytes: &mut Bytes<'f>) -> Option<Values<'f>> {
    let count = bytes.u8()?;
    bytes.take(usize::from(count) * 4).map(Values)
}

fn present(value: i32) -> Option<i32> {
    (value != i32::MIN).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_id_wherever_they_stand() {
        let body = Bytes(&[3, 9, 0, 2, 1, 1, 1, 0, 1, b'K', 2, 0, 2, 0, 5]);
        assert!(is_ok(body));
        assert_eq!((number(body, 2), number(body, 9), number(body, 7)), (Some(5), Some(257), None));
        assert_eq!(field(Bytes(&[1, 1, 0, 9, b'K']), 1), None, "cut off");
    }

    #[test]
    fn an_entry_is_taken_off_whole_or_not_at_all() {
        let mut bytes = Bytes(b"L\x00\x07\x00\x00\x00\x05U\x00\x07\x02\x80\x00\x00\x00\x00\x00\x00\x01?");
        assert!(matches!(entry(&mut bytes), Ok(Entry::Lite { id: 7, price: Some(5) })));
        let Ok(Entry::Update { id: 7, values }) = entry(&mut bytes) else { panic!() };
        assert_eq!(values.each().collect::<Vec<_>>(), [None, Some(1)]);
        assert_eq!(entry(&mut bytes).err(), Some("unknown_entry"));
        assert_eq!(entry(&mut bytes).err(), Some("short_frame"));
        assert_eq!(entry(&mut Bytes(b"U\x00\x07\x02\x80")).err(), Some("short_frame"));
    }
}
