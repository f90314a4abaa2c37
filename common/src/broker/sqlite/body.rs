//! How tasks lie in a body: each with its length before it, 4 bytes, little-endian. Pure.

/// A body takes no further task once it holds this many bytes: what one take must read to cut a batch from it.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a length.
const LENGTH_BYTES: usize = 4;

/// Tasks as they are stored together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) tasks: usize,
    pub(super) bytes: Vec<u8>,
}

/// A body that was not written by [`pack`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadBody;

/// Packs tasks into as few bodies as the limit allows, in order. `None` when a task's length needs more than 32 bits.
pub(super) fn pack(tasks: &[Vec<u8>]) -> Option<Vec<Body>> {
    let mut bodies = Vec::new();
    let mut rest = tasks;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|task| {
            let fits = bytes < BODY_BYTES_MAX;
            bytes += LENGTH_BYTES + task.len();
            fits
        });
        let (these, later) = rest.split_at(fitting.count());
        bodies.push(pack_one(these)?);
        rest = later;
    }
    Some(bodies)
}

fn pack_one(tasks: &[Vec<u8>]) -> Option<Body> {
    let mut bytes = Vec::with_capacity(tasks.iter().map(|task| LENGTH_BYTES + task.len()).sum());
    for task in tasks {
        bytes.extend_from_slice(&u32::try_from(task.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(task);
    }
    Some(Body { tasks: tasks.len(), bytes })
}

/// Splits the first task off `bytes`, which must not be empty.
pub(super) fn split_first(bytes: &[u8]) -> Result<(&[u8], &[u8]), BadBody> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(BadBody)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_too_large| BadBody)?;
    rest.split_at_checked(length).ok_or(BadBody)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpack(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, BadBody> {
        let mut tasks = Vec::new();
        while !bytes.is_empty() {
            let (task, rest) = split_first(bytes)?;
            tasks.push(task.to_vec());
            bytes = rest;
        }
        Ok(tasks)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_unchanged_and_in_order(
            tasks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..50)
        ) {
            let bodies = pack(&tasks).unwrap();
            let unpacked: Vec<_> = bodies.iter().flat_map(|body| unpack(&body.bytes).unwrap()).collect();
            prop_assert_eq!(unpacked, tasks);
        }

        #[test]
        fn garbage_is_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 1..64)) {
            let unpacked = unpack(&bytes);
            prop_assert!(unpacked.is_err() || pack_one(&unpacked.unwrap()).unwrap().bytes == bytes);
        }
    }

    #[test]
    fn a_body_ends_at_its_limit_and_always_has_a_task() {
        let tasks = vec![vec![b'x'; BODY_BYTES_MAX + 1], vec![b'y'], vec![b'z'; BODY_BYTES_MAX], vec![]];
        let sizes: Vec<_> = pack(&tasks).unwrap().iter().map(|body| body.tasks).collect();
        assert_eq!(sizes, [1, 2, 1]);
        assert_eq!(pack(&[]), Some(vec![]));
    }
}
