//! A column of a batch, written as PostgreSQL reads an array (`array_recv`), element by element while the rows are gone
//! through. The library's own way is a vector of each column first, then a writer for each element.

use std::io::Write as _;

use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Array;
use rust_decimal::Decimal;

use super::arrays::timestamp;
use crate::clock::UnixMicros;

/// What an element is, by its OID in `pg_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    SmallInt = 21,
    BigInt = 20,
    Numeric = 1700,
    Timestamptz = 1184,
}

/// Number of dimensions, whether there are nulls, OID of the elements, length, number of the first.
const HEAD_BYTES: usize = 20;
const NULLS_AT: usize = 4;
const LENGTH_AT: usize = 12;
/// A length and the largest common element, roughly.
const ELEMENT_BYTES: usize = 16;
const NULL: i32 = -1;

/// One array, ready to be sent.
#[derive(Debug)]
pub(super) struct Column {
    bytes: Vec<u8>,
    length: i32,
}

impl Column {
    pub(super) fn of(element: Element, rows: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + rows * ELEMENT_BYTES);
        for word in [1, 0, element as i32, 0, 1] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        Self { bytes, length: 0 }
    }

    pub(super) fn push_integer(&mut self, value: i64) {
        self.push(&value.to_be_bytes());
    }

    pub(super) fn push_small(&mut self, value: i16) {
        self.push(&value.to_be_bytes());
    }

    pub(super) fn push_time(&mut self, at: UnixMicros) {
        self.push_integer(timestamp(at).0);
    }

    pub(super) fn push_or_null<T>(&mut self, value: Option<T>, push: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => push(self, value),
            None => self.push_null(),
        }
    }

    fn push_null(&mut self) {
        self.bytes[NULLS_AT..NULLS_AT + 4].copy_from_slice(&1_i32.to_be_bytes());
        self.count(NULL);
    }

    /// With all its digits, as `numeric_recv` reads it: 0.00 stays 0.00.
    pub(super) fn push_number(&mut self, value: Decimal) {
        const BASE: u128 = 10_000;
        let scale = value.scale();
        let point = scale.div_ceil(4);
        // Groups begin at the point.
        let mut rest = value.mantissa().unsigned_abs() * 10_u128.pow(point * 4 - scale);
        let (mut groups, mut length) = ([0_u16; GROUPS_MAX], 0);
        while rest != 0 {
            groups[GROUPS_MAX - 1 - length] = u16::try_from(rest % BASE).unwrap_or(0); // below 10,000
            rest /= BASE;
            length += 1;
        }
        let short = |number: usize| i16::try_from(number).unwrap_or(i16::MAX); // at most 8 groups, 28 digits
        let weight = if length == 0 { 0 } else { short(length) - short(point as usize) - 1 };
        let is_negative = value.is_sign_negative() && length != 0;
        let head = [
            short(length).cast_unsigned(),
            weight.cast_unsigned(),
            if is_negative { NEGATIVE } else { 0 },
            short(scale as usize).cast_unsigned(),
        ];
        let mut bytes = [0; NUMBER_BYTES_MAX];
        for (place, word) in bytes.chunks_exact_mut(2).zip(head.iter().chain(&groups[GROUPS_MAX - length..])) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        self.push(&bytes[..NUMBER_HEAD_BYTES + 2 * length]);
    }

    fn push(&mut self, element: &[u8]) {
        self.count(i32::try_from(element.len()).unwrap_or(NULL)); // two dozen bytes at most
        self.bytes.extend_from_slice(element);
    }

    fn count(&mut self, bytes: i32) {
        self.bytes.extend_from_slice(&bytes.to_be_bytes());
        self.length += 1;
        self.bytes[LENGTH_AT..LENGTH_AT + 4].copy_from_slice(&self.length.to_be_bytes());
    }
}

/// Digits of base 10,000 that a decimal of 96 bits can have, up to three zeros behind its last digit included.
const GROUPS_MAX: usize = 8;
/// Number of groups, weight, sign, digits behind the point: two bytes each.
const NUMBER_HEAD_BYTES: usize = 8;
const NUMBER_BYTES_MAX: usize = NUMBER_HEAD_BYTES + 2 * GROUPS_MAX;
const NEGATIVE: u16 = 0x4000;

/// Whatever the statement calls the element: the server compares the OID.
impl<Of: 'static> ToSql<Array<Of>, Pg> for Column {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.bytes)?;
        Ok(IsNull::No)
    }
}
