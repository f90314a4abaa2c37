//! A decimal as PostgreSQL's binary format has it.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

use crate::BoxError;

/// A number in hundred-millionths, not negative: as providers send prices, with eight places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numeric(pub(super) u64);

/// Its digits are groups of four.
const GROUP: u64 = 10_000;
const PLACES: i16 = 8;

impl Numeric {
    /// Groups before the point and behind it, and the weight of the first one.
    fn groups(self) -> (Vec<i16>, i16) {
        let mut rest = self.0;
        let mut groups = Vec::new();
        let mut weight = -3;
        while 0 < rest || weight < -1 {
            groups.push(i16::try_from(rest % GROUP).unwrap_or(0));
            rest /= GROUP;
            weight += 1;
        }
        groups.reverse();
        (groups, weight)
    }
}

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let (groups, weight) = self.groups();
        out.put_i16(i16::try_from(groups.len())?);
        out.put_i16(weight);
        out.put_i16(0); // the sign
        out.put_i16(PLACES);
        for group in groups {
            out.put_i16(group);
        }
        Ok(IsNull::No)
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_into_groups_of_four_digits() {
        assert_eq!(Numeric(6_168_512_000_000).groups(), (vec![6, 1_685, 1_200, 0], 1));
        assert_eq!(Numeric(12_345).groups(), (vec![1, 2_345], -1));
        assert_eq!(Numeric(0).groups(), (vec![0, 0], -1));
    }
}
