//! Where messages are kept on disk while the broker does not take them; emptied in order by [`drain`](crate::drain).
//!
//! Made when it is first needed, deleted when it is empty. A record is an enqueue as it is, so handing it over is
//! repeating it: [`common::broker::sqlite::spool`] says why that is enough. Files that an earlier process left are handed
//! over first. A file that is damaged is set aside for people, one that the disk failed is only read from then on.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use common::broker::Enqueue;
use common::broker::sqlite::spool::{Head, SpoolContent, SpoolError, SpoolFile, Spooled};
use common::clock;
use common::failpoint::{Point, reach};
use common::outage::Outage;
use tokio::sync::{Mutex, watch};
use tracing::{error, info, warn};

use crate::board::Board;
use crate::intake::Intake;
use crate::options::SpoolOptions;
use crate::spool::held::{Condition, Held};
use crate::spool::home::{Home, Slot};

mod held;
mod home;

/// Bytes read at once for handing over; a single larger record still comes alone.
const HEAD_BYTES_MAX: usize = 4 << 20;

/// The spool of this process.
#[derive(Debug)]
pub(crate) struct Spool {
    home: Home,
    bytes_max: u64,
    intake: Arc<Intake>,
    board: Arc<Board>,
    // Held across awaits on purpose: one thing is done to the files at a time.
    state: Mutex<State>,
    /// Records that are not handed over yet.
    records: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first; only the last one may be added to.
    files: VecDeque<Held>,
    outage: Outage,
}

/// The beginning of a head that was handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// The last record of it.
    pub(crate) last: i64,
    pub(crate) records: u64,
    pub(crate) tasks: u64,
}

/// What is left in the spool of a listener that ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) messages: u64,
    pub(crate) folder: PathBuf,
}

impl Spool {
    /// Finds what earlier processes of the group left. Makes nothing yet.
    pub(crate) async fn open(options: &SpoolOptions, group: &str, intake: Arc<Intake>, board: Arc<Board>) -> Self {
        let home = Home::new(options.folder.clone(), group);
        let (state, records) = (Mutex::default(), watch::Sender::new(0));
        let spool = Self { home, bytes_max: options.bytes_max, intake, board, state, records };
        let mut state = spool.state.lock().await;
        for slot in spool.home.left_behind() {
            if let Some(held) = spool.adopt(slot).await {
                state.files.push_back(held);
            }
        }
        spool.show(&state);
        drop(state);
        spool
    }

    /// Whether everything was handed over.
    pub(crate) fn is_empty(&self) -> bool {
        *self.records.borrow() == 0
    }

    /// Completes when there is something to hand over. Cancel-safe.
    pub(crate) async fn filled(&self) {
        // The sender is ours: it does not go away.
        drop(self.records.subscribe().wait_for(|records| 0 < *records).await);
    }

    /// Completes when something was added or handed over. Cancel-safe.
    pub(crate) async fn changed(&self) {
        drop(self.records.subscribe().changed().await);
    }

    /// Appends an enqueue; it is on the disk when this is true.
    pub(crate) async fn put(&self, enqueue: &Enqueue<'_>) -> bool {
        let mut state = self.state.lock().await;
        match self.put_into(&mut state, enqueue).await {
            Ok(()) => {
                reach(Point::SpoolAfter);
                self.intake.spooled(enqueue.tasks.len() as u64);
                if let Some(over) = state.outage.ended(clock::monotonic()) {
                    info!(tries = over.tries, "the spool takes messages again");
                }
                self.board.set_spool_trouble(None);
                self.show(&state);
                true
            }
            Err(problem) => {
                self.complain(&mut state, &problem);
                false
            }
        }
    }

    async fn put_into(&self, state: &mut State, enqueue: &Enqueue<'_>) -> Result<(), SpoolError> {
        if let Some(broken) = state.files.iter().find(|held| held.condition == Condition::Broken) {
            return Err(broken.refusal());
        }
        if state.files.back().is_none_or(|held| held.condition != Condition::Sound) {
            let held = self.begin().await?;
            state.files.push_back(held);
        }
        let held = state.files.back_mut().expect("one was begun where there was none");
        let outcome = held.file.put(enqueue).await;
        match &outcome {
            Ok(_id) => held.added(enqueue.tasks.len() as u64),
            Err(SpoolError::Broken { .. }) => held.condition = Condition::Broken,
            Err(SpoolError::Damaged { .. }) => held.condition = Condition::Damaged,
            Err(SpoolError::Full { .. } | SpoolError::DiskFull { .. } | SpoolError::Unusable { .. }) => {}
        }
        outcome.map(drop)
    }

    /// The oldest records; `None` where they cannot be read now, or there are none.
    pub(crate) async fn head(&self) -> Option<Head> {
        let mut state = self.state.lock().await;
        while let Some(held) = state.files.front_mut() {
            match held.file.head(held.drained, HEAD_BYTES_MAX).await {
                Ok(head) if head.last.is_some() => {
                    if 0 < head.damaged {
                        held.condition = Condition::Damaged;
                    }
                    return Some(head);
                }
                Ok(_nothing) => self.retire_first(&mut state).await,
                Err(SpoolError::Damaged { problem, .. }) => {
                    warn!("the spool {} cannot be read on: {problem}", held.file.path().display());
                    held.condition = Condition::Damaged;
                    self.retire_first(&mut state).await;
                }
                Err(problem) => {
                    self.complain(&mut state, &problem);
                    return None;
                }
            }
        }
        None
    }

    /// The broker has a record of the last head. Takes no turn at the files: handing over must be faster than filling.
    pub(crate) fn handed_over(&self, spooled: &Spooled) {
        self.intake.handed_over(spooled.tasks.len() as u64);
    }

    /// Forgets what was handed over of the last head. The records of a damaged file stay, for people.
    pub(crate) async fn forget(&self, Done { last, records, tasks }: Done) {
        let mut state = self.state.lock().await;
        let Some(held) = state.files.front_mut() else { return };
        held.tasks = held.tasks.saturating_sub(tasks);
        held.drained = last;
        held.records = held.records.saturating_sub(records);
        if held.records == 0 {
            self.retire_first(&mut state).await;
        } else if held.condition == Condition::Sound
            && let Err(problem) = held.file.remove(last).await
        {
            // They were handed over; should this process die, the next one repeats them, which adds nothing.
            if matches!(problem, SpoolError::Broken { .. }) {
                held.condition = Condition::Broken;
            }
            self.complain(&mut state, &problem);
        }
        self.show(&state);
    }

    /// Closes all files; what they hold is for the next listener of the group on this machine.
    pub(crate) async fn close(&self) -> Kept {
        let mut state = self.state.lock().await;
        for held in state.files.drain(..) {
            held.file.close().await;
        }
        Kept { messages: self.intake.totals().spooled, folder: self.home.folder().to_owned() }
    }

    /// A fresh file of our own.
    async fn begin(&self) -> Result<Held, SpoolError> {
        let slot = self.home.claim().map_err(|problem| self.unusable(&problem))?;
        let path = self.home.path(slot.number);
        let (file, content) = match SpoolFile::open(&path, self.bytes_max).await {
            Err(SpoolError::Damaged { problem, .. }) => {
                self.set_aside(&path, &problem, None);
                SpoolFile::open(&path, self.bytes_max).await?
            }
            opened => opened?,
        };
        info!("messages go to the spool {} until the broker takes them", path.display());
        self.intake.recovered(content.tasks);
        Ok(Held::new(file, slot, content))
    }

    /// Opens a file that an earlier process left; `None` when nothing is in it, or nothing can be read.
    async fn adopt(&self, slot: Slot) -> Option<Held> {
        let path = self.home.path(slot.number);
        match SpoolFile::open(&path, self.bytes_max).await {
            Ok((file, SpoolContent { enqueues: 0, .. })) => {
                if let Err(problem) = file.discard().await {
                    warn!("the empty spool {} cannot be deleted: {problem}", path.display());
                }
                None
            }
            Ok((file, content)) => {
                let messages = content.tasks;
                info!(messages, "{messages} messages of an earlier process are in the spool {}", path.display());
                self.intake.recovered(messages);
                Some(Held::new(file, slot, content))
            }
            Err(SpoolError::Damaged { problem, .. }) => {
                self.set_aside(&path, &problem, None);
                None
            }
            Err(problem) => {
                warn!("what an earlier process left is not handed over: {problem}");
                self.board.set_spool_trouble(Some(problem.to_string()));
                None
            }
        }
    }

    /// The first file holds nothing more that could be handed over.
    async fn retire_first(&self, state: &mut State) {
        let Some(held) = state.files.pop_front() else { return };
        let path = held.file.path().to_owned();
        self.intake.lost(held.tasks);
        if held.condition == Condition::Damaged || 0 < held.tasks {
            held.file.close().await;
            self.set_aside(&path, "some records are not as they were written", Some(held.tasks));
        } else {
            match held.file.discard().await {
                Ok(()) => info!("the spool {} is empty and was deleted", path.display()),
                Err(problem) => warn!("the empty spool {} cannot be deleted: {problem}", path.display()),
            }
        }
        if state.files.is_empty() {
            self.board.set_spool_trouble(None);
        }
        self.show(state);
    }

    /// Moves a damaged file out of the way and tells people for the rest of this life.
    fn set_aside(&self, path: &std::path::Path, problem: &str, lost: Option<u64>) {
        let became = match lost {
            Some(0) => "all that was counted could be handed over".to_owned(),
            Some(lost) => format!("{lost} messages could not be handed over, the others were"),
            None => "what it holds was not handed over".to_owned(),
        };
        let text = match SpoolFile::set_aside(path, clock::now()) {
            Ok(aside) => format!(
                "the spool {} is damaged ({problem}): {became}; it is kept as {}, rescue what can be read with \
                 `sqlite3 {} .recover`",
                path.display(),
                aside.display(),
                aside.display()
            ),
            Err(error) => format!("the spool {} is damaged ({problem}) and cannot be moved: {error}", path.display()),
        };
        error!("{text}");
        self.board.add_spool_damage(text);
    }

    fn complain(&self, state: &mut State, problem: &SpoolError) {
        if let Some(notice) = state.outage.failed(clock::monotonic()) {
            let (tries, buffered) = (notice.tries, self.intake.totals().buffered);
            warn!(tries, buffered, "messages gather in memory and are merged when the buffer is full: {problem}");
        }
        self.board.set_spool_trouble(Some(problem.to_string()));
    }

    fn unusable(&self, problem: &io::Error) -> SpoolError {
        SpoolError::Unusable { place: self.home.folder().display().to_string(), problem: problem.to_string() }
    }

    fn show(&self, state: &State) {
        self.records.send_replace(state.files.iter().map(|held| held.records).sum());
    }
}
