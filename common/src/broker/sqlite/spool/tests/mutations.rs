//! Whatever happens to the bytes: nothing is invented, nothing changed is believed, nothing panics.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use super::*;

/// Mutated files at least; `PROPTEST_CASES=10000` takes about half a minute.
const CASES_MIN: u32 = 1_000;

/// What is done to a file.
#[derive(Debug, Clone)]
enum Mutation {
    FlipBit(usize, u8),
    Overwrite(usize, Vec<u8>),
    Truncate(usize),
    Append(Vec<u8>),
}

fn mutation(length: usize) -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (0..length, 0..8_u8).prop_map(|(at, bit)| Mutation::FlipBit(at, bit)),
        2 => (0..length, prop::collection::vec(any::<u8>(), 1..64)).prop_map(|(at, bytes)| Mutation::Overwrite(at, bytes)),
        1 => (0..length).prop_map(Mutation::Truncate),
        1 => prop::collection::vec(any::<u8>(), 1..5_000).prop_map(Mutation::Append),
    ]
}

fn mutated(whole: &[u8], mutation: &Mutation) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    match mutation {
        Mutation::FlipBit(at, bit) => bytes[*at] ^= 1 << bit,
        Mutation::Overwrite(at, new) => {
            let end = bytes.len().min(at + new.len());
            bytes[*at..end].copy_from_slice(&new[..end - at]);
        }
        Mutation::Truncate(length) => bytes.truncate(*length),
        Mutation::Append(more) => bytes.extend_from_slice(more),
    }
    bytes
}

/// A small file of eight enqueues, some larger than a page.
async fn whole(desk: &Desk) -> (Vec<u8>, Vec<Spooled>) {
    let (file, _) = desk.open(ROOMY).await;
    for batch in 1..=8 {
        let task = vec![b'a' + u8::try_from(batch).unwrap(); if batch % 3 == 0 { 6_000 } else { 200 }];
        desk.put(&file, batch, &[task, b"{}".to_vec()]).await.unwrap();
    }
    let spooled = file.head(0, usize::MAX).await.unwrap().enqueues;
    file.close().await;
    (fs::read(desk.path()).unwrap(), spooled)
}

/// What a reader gets of the file; `None` where it is told that the file is damaged.
async fn read(path: &Path) -> Option<(Vec<Spooled>, bool)> {
    let told = |error: SpoolError| match error {
        SpoolError::Damaged { .. } | SpoolError::Broken { .. } | SpoolError::Unusable { .. } => None::<()>,
        SpoolError::Full { .. } | SpoolError::DiskFull { .. } => panic!("{error}"),
    };
    let (file, content) = match SpoolFile::open(path, ROOMY).await {
        Ok(opened) => opened,
        Err(error) => return told(error).map(|()| (Vec::new(), false)),
    };
    let head = file.head(0, usize::MAX).await;
    file.close().await;
    match head {
        Ok(head) => Some((head.enqueues, content.is_whole && head.damaged == 0)),
        Err(error) => told(error).map(|()| (Vec::new(), false)),
    }
}

fn alike(one: &Spooled, other: &Spooled) -> bool {
    let key = |spooled: &Spooled| (spooled.queue.clone(), spooled.producer, spooled.batch, spooled.counts.clone());
    key(one) == key(other) && one.tasks == other.tasks
}

#[test]
fn no_mutation_of_a_file_brings_a_panic_or_a_message_that_was_not_put_there() {
    let runtime = Runtime::new().unwrap();
    let desk = Desk::new();
    let (bytes, spooled) = runtime.block_on(whole(&desk));
    let refused = std::cell::Cell::new(0);
    let cases = Config::default().cases.max(CASES_MIN);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&mutation(bytes.len()).no_shrink(), |mutation| {
        for ending in ["", "-wal", "-shm"] {
            drop(fs::remove_file(format!("{}{ending}", desk.path().display()))); // mostly not there
        }
        let bytes = mutated(&bytes, &mutation);
        let is_empty = bytes.is_empty();
        fs::write(desk.path(), bytes).unwrap();
        match runtime.block_on(read(&desk.path())) {
            None => refused.set(refused.get() + 1),
            Some((read, is_whole)) => {
                // An id is no part of a message; a changed one shows as a hole.
                let is_known = |one: &Spooled| spooled.iter().any(|known| alike(known, one));
                prop_assert!(read.iter().all(is_known), "something was invented");
                let is_same =
                    read.len() == spooled.len() && read.iter().zip(&spooled).all(|(one, known)| alike(one, known));
                prop_assert!(!is_whole || is_empty || is_same, "{} of 8 and no word of it", read.len());
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let refused = refused.get();
    assert!(cases / 10 < refused, "only {refused} files were refused: do the mutations reach them?");
}
