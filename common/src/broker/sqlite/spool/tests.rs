use std::fs;

use tempfile::TempDir;

use super::*;
use crate::presence::InstanceId;
use crate::queue::{IntakeCounts, QueueName};

mod mutations;

const ROOMY: u64 = 64 << 20;

struct Desk {
    folder: TempDir,
    queue: QueueName,
    producer: InstanceId,
    counts: IntakeCounts,
}

impl Desk {
    fn new() -> Self {
        let counts = IntakeCounts { received: 3, shed: [("merge".into(), 1)].into(), ..IntakeCounts::default() };
        let producer = InstanceId::parse("01920000-0000-7000-8000-000000000001").unwrap();
        Self { folder: tempfile::tempdir().unwrap(), queue: "ticks".parse().unwrap(), producer, counts }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s.db")
    }

    async fn open(&self, bytes_max: u64) -> (SpoolFile, SpoolContent) {
        SpoolFile::open(&self.path(), bytes_max).await.unwrap()
    }

    async fn put(&self, file: &SpoolFile, batch: u64, tasks: &[Vec<u8>]) -> Result<i64, SpoolError> {
        let Self { queue, producer, counts, .. } = self;
        file.put(&Enqueue { queue, producer: *producer, batch, tasks, waiting_max: 1, counts }).await
    }
}

fn tasks(batch: u64) -> Vec<Vec<u8>> {
    (0..3).map(|n| format!("{{\"task\":{n},\"of\":{batch}}}").into_bytes()).collect()
}

#[tokio::test]
async fn enqueues_come_back_whole_and_in_order_after_a_restart() {
    let desk = Desk::new();
    let (file, content) = desk.open(ROOMY).await;
    assert_eq!(content, SpoolContent { is_whole: true, ..SpoolContent::default() });
    for batch in 1..=100 {
        desk.put(&file, batch, &tasks(batch)).await.unwrap();
    }
    desk.put(&file, 101, &[]).await.unwrap();
    drop(file); // without a farewell

    let (file, content) = desk.open(ROOMY).await;
    assert_eq!(content, SpoolContent { enqueues: 101, tasks: 300, is_whole: true });
    let mut seen = Vec::new();
    let mut after = 0;
    while let Some(last) = file
        .head(after, 1 << 20)
        .await
        .map(|head| {
            seen.extend(head.enqueues);
            head.last
        })
        .unwrap()
    {
        after = last;
        file.remove(last).await.unwrap();
    }
    assert_eq!(seen.len(), 101);
    for (batch, spooled) in (1..).zip(&seen[..100]) {
        let enqueue = spooled.enqueue(7);
        assert_eq!((enqueue.batch, enqueue.tasks, enqueue.producer), (batch, &tasks(batch)[..], desk.producer));
        assert_eq!((enqueue.queue, enqueue.counts, enqueue.waiting_max), (&desk.queue, &desk.counts, 7));
    }
    assert_eq!(seen[100].tasks, Vec::<Vec<u8>>::new());
    drop(file);
    let (file, content) = desk.open(ROOMY).await;
    assert_eq!(content.enqueues, 0);
    file.discard().await.unwrap();
    assert_eq!(fs::read_dir(desk.folder.path()).unwrap().count(), 0, "no file of it is left");
}

#[tokio::test]
async fn a_head_is_no_larger_than_asked_and_never_empty() {
    let desk = Desk::new();
    let (file, _) = desk.open(ROOMY).await;
    for batch in 1..=100 {
        desk.put(&file, batch, &tasks(batch)).await.unwrap();
    }
    assert_eq!(file.head(0, 1).await.unwrap().enqueues.len(), 1);
    assert_eq!(file.head(98, usize::MAX).await.unwrap().enqueues.len(), 2);
    assert_eq!(file.head(0, usize::MAX).await.unwrap().enqueues.len(), HEAD_MAX);
    assert_eq!(file.head(100, 1).await.unwrap(), Head::default());
}

#[tokio::test]
async fn a_full_spool_says_its_limit_keeps_what_it_has_and_has_room_again_when_drained() {
    let desk = Desk::new();
    let (file, _) = desk.open(1 << 20).await;
    let large = vec![vec![b'x'; 100_000]];
    let mut fitting = 0;
    let full = loop {
        match desk.put(&file, fitting + 1, &large).await {
            Ok(_) => fitting += 1,
            Err(full) => break full,
        }
    };
    assert!(matches!(full, SpoolError::Full { bytes_max: 1_048_576, .. }), "{full:?}");
    assert!(full.to_string().ends_with("is full: `listener.spool_max` is 1MiB"), "{full}");
    assert!((8..=10).contains(&fitting), "{fitting}");
    let size = fs::metadata(desk.path()).unwrap().len();
    assert!(size <= 1 << 20, "{size}");
    let head = file.head(0, usize::MAX).await.unwrap();
    assert_eq!((head.enqueues.len() as u64, head.damaged), (fitting, 0));
    file.remove(head.last.unwrap()).await.unwrap();
    desk.put(&file, fitting + 1, &large).await.unwrap();
}

#[tokio::test]
async fn a_flipped_bit_in_a_message_is_noticed_and_its_neighbours_are_read() {
    let desk = Desk::new();
    let (file, _) = desk.open(ROOMY).await;
    for batch in 1..=3 {
        desk.put(&file, batch, &[format!("the message of {batch}").into_bytes()]).await.unwrap();
    }
    file.close().await;
    let mut bytes = fs::read(desk.path()).unwrap();
    let at = bytes.windows(16).position(|bytes| bytes == b"the message of 2").unwrap();
    bytes[at] ^= 1;
    fs::write(desk.path(), bytes).unwrap();
    let (file, content) = desk.open(ROOMY).await;
    assert_eq!(content.enqueues, 3);
    let head = file.head(0, usize::MAX).await.unwrap();
    assert_eq!(head.enqueues.iter().map(|spooled| spooled.batch).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((head.damaged, head.last), (1, Some(3)));
}

#[tokio::test]
async fn files_that_are_no_spool_are_damaged_and_can_be_set_aside_with_their_log() {
    use diesel::connection::SimpleConnection;
    let desk = Desk::new();
    fs::write(desk.path(), b"no database at all, but long enough to be taken for one by its size").unwrap();
    let text = SpoolFile::open(&desk.path(), ROOMY).await.unwrap_err().to_string();
    assert!(text.contains("is damaged: ") && text.ends_with("file is not a database"), "{text}");
    fs::write(format!("{}-wal", desk.path().display()), b"its log").unwrap();
    let now = UnixMicros(1_763_726_400_500_000);
    let aside = SpoolFile::set_aside(&desk.path(), now).unwrap();
    assert_eq!(aside.file_name().unwrap(), "s.db.corrupt-1763726400");
    assert!(aside.exists() && !desk.path().exists());
    assert_eq!(fs::read(format!("{}-wal", aside.display())).unwrap(), b"its log");

    let thread = SqliteThread::open(&desk.path()).await.unwrap();
    thread.call(|db| db.batch_execute("CREATE TABLE prices (n INTEGER)")).await.unwrap().unwrap();
    thread.close().await;
    let text = SpoolFile::open(&desk.path(), ROOMY).await.unwrap_err().to_string();
    assert!(text.ends_with("is damaged: it holds the tables of another program"), "{text}");
    let second = SpoolFile::set_aside(&desk.path(), now).unwrap();
    assert_ne!(second, aside, "nothing set aside is ever overwritten");
    desk.open(ROOMY).await;
}

#[tokio::test]
async fn a_spool_of_a_newer_program_is_left_alone() {
    use diesel::connection::SimpleConnection;
    let desk = Desk::new();
    let (file, _) = desk.open(ROOMY).await;
    file.thread.call(|db| db.batch_execute("UPDATE spool_schema SET version = 2")).await.unwrap().unwrap();
    file.close().await;
    let error = SpoolFile::open(&desk.path(), ROOMY).await.unwrap_err();
    assert!(matches!(error, SpoolError::Unusable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_record_that_is_missing_is_noticed() {
    use diesel::connection::SimpleConnection;
    let desk = Desk::new();
    let (file, _) = desk.open(ROOMY).await;
    for batch in 1..=3 {
        desk.put(&file, batch, &tasks(batch)).await.unwrap();
    }
    file.thread.call(|db| db.batch_execute("DELETE FROM spool_enqueue WHERE id = 2")).await.unwrap().unwrap();
    file.close().await;
    assert_eq!(desk.open(ROOMY).await.1, SpoolContent { enqueues: 2, tasks: 6, is_whole: false });
}

#[tokio::test]
async fn nothing_is_put_into_a_file_that_was_deleted_under_us() {
    let desk = Desk::new();
    let (file, _) = desk.open(ROOMY).await;
    desk.put(&file, 1, &tasks(1)).await.unwrap();
    fs::remove_file(desk.path()).unwrap();
    let error = desk.put(&file, 2, &tasks(2)).await.unwrap_err();
    assert!(matches!(error, SpoolError::Broken { .. }), "{error:?}");
    assert_eq!(file.head(0, 1).await.unwrap().enqueues.len(), 1, "what it holds can still be handed over");
}

/// A small file system of its own; `None` where we may not make one.
#[cfg(target_os = "linux")]
struct SmallDisk(TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(folder))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.0.path().display());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_from_a_full_spool_and_costs_nothing_that_was_written() {
    let Some(small) = SmallDisk::mount() else {
        return eprintln!("a small file system cannot be mounted here: a full spool is tested, a full disk is not");
    };
    let desk = Desk::new();
    let path = small.0.path().join("s.db");
    let (file, _) = SpoolFile::open(&path, ROOMY).await.unwrap();
    let large = vec![vec![b'x'; 50_000]];
    let mut batches = 0;
    let full = loop {
        match desk.put(&file, batches + 1, &large).await {
            Ok(_) => batches += 1,
            Err(full) => break full,
        }
    };
    assert!(matches!(full, SpoolError::DiskFull { .. }), "{full:?}");
    assert!(0 < batches);
    file.close().await;
    let (file, content) = SpoolFile::open(&path, ROOMY).await.unwrap();
    assert_eq!((content.enqueues, content.is_whole), (batches, true));
    assert_eq!(file.head(0, usize::MAX).await.unwrap().enqueues.len() as u64, batches);
    file.discard().await.unwrap();
}
