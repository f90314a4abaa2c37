//! What must not be in the tables, as SQL, and what puts it right.

use crate::queue::Flaw;

/// One thing that must not be.
pub(super) struct Rule {
    pub(super) flaw: Flaw,
    /// How many, tasks in them, an example. One `?`: the queue.
    pub(super) find: &'static str,
    /// Statements, each with one `?`: the queue. None: a person must decide.
    pub(super) fix: &'static [&'static str],
}

/// In the order in which they are looked for: a repair may be what a later rule looks at.
pub(super) const RULES: &[Rule] = &[
    Rule {
        flaw: Flaw::BrokenTasks,
        find: "SELECT count(*), coalesce(sum(tasks), 0), 'body ' || coalesce(min(body), '') FROM (
                   SELECT c.queue, c.tasks, c.body, c.start + c.bytes AS past,
                       coalesce(lead(c.start) OVER (PARTITION BY c.body ORDER BY c.start), length(b.body)) AS next
                   FROM queue_chunk c LEFT JOIN queue_body b ON b.id = c.body)
               WHERE queue = ? AND (next IS NULL OR next < past)",
        fix: &[],
    },
    Rule {
        flaw: Flaw::UnsharedTasks,
        find: "SELECT count(*), coalesce(sum(tasks), 0), 'body ' || coalesce(min(body), '') FROM queue_chunk c
               WHERE queue = ? AND shared = 0 AND 1 < (SELECT count(*) FROM queue_chunk o WHERE o.body = c.body)",
        fix: &["UPDATE queue_chunk SET shared = 1 WHERE queue = ? AND shared = 0
                    AND body IN (SELECT body FROM queue_chunk GROUP BY body HAVING 1 < count(*))"],
    },
    Rule {
        flaw: Flaw::StrayBatch,
        find: "SELECT count(DISTINCT batch), coalesce(sum(tasks), 0), 'batch ' || coalesce(min(batch), '')
               FROM queue_chunk WHERE queue = ? AND batch <> 0 AND batch NOT IN (SELECT id FROM queue_batch)",
        // Due since ever; delivered once at least.
        fix: &["INSERT INTO queue_batch (id, queue, due_at, since, tasks, deliveries)
                SELECT batch, queue, 0, 0, sum(tasks), 1 FROM queue_chunk
                WHERE queue = ? AND batch <> 0 AND batch NOT IN (SELECT id FROM queue_batch) GROUP BY batch, queue"],
    },
    Rule {
        flaw: Flaw::EmptyBatch,
        find: "SELECT count(*), 0, 'batch ' || coalesce(min(id), '') FROM queue_batch b WHERE queue = ?
                   AND NOT EXISTS (SELECT 1 FROM queue_chunk c WHERE c.queue = b.queue AND c.batch = b.id)",
        fix: &[
            // A lease's name is never used again.
            "INSERT OR IGNORE INTO queue_tombstone (queue, lease, outcome, expires_at)
             SELECT queue, lease, 'reaped', due_at + 600000000 FROM queue_batch b WHERE queue = ? AND lease IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM queue_chunk c WHERE c.queue = b.queue AND c.batch = b.id)",
            "DELETE FROM queue_batch AS b WHERE queue = ?
                 AND NOT EXISTS (SELECT 1 FROM queue_chunk c WHERE c.queue = b.queue AND c.batch = b.id)",
        ],
    },
    Rule {
        flaw: Flaw::Miscounted,
        find: "SELECT count(*), coalesce(sum(abs(tasks - is_there)), 0), 'batch ' || coalesce(min(id), '') FROM (
                   SELECT id, queue, tasks, (SELECT coalesce(sum(c.tasks), 0) FROM queue_chunk c
                       WHERE c.queue = b.queue AND c.batch = b.id) AS is_there FROM queue_batch b)
               WHERE queue = ? AND 0 < is_there AND tasks <> is_there",
        fix: &["UPDATE queue_batch AS b SET tasks = (SELECT coalesce(sum(c.tasks), 0) FROM queue_chunk c
                    WHERE c.queue = b.queue AND c.batch = b.id)
                WHERE queue = ?"],
    },
];

/// The ledger's counts of places, once all places are right.
pub(super) const PLACES: Rule = Rule {
    flaw: Flaw::Miscounted,
    find: "SELECT 1, abs(waiting - w) + abs(leased - l) + abs(delayed - d) + abs(dead - x),
               'waiting ' || waiting || ' for ' || w || ', leased ' || leased || ' for ' || l ||
               ', delayed ' || delayed || ' for ' || d || ', dead ' || dead || ' for ' || x
           FROM (SELECT id, waiting, leased, delayed, dead,
               (SELECT coalesce(sum(tasks), 0) FROM queue_chunk WHERE queue = q.id AND batch = 0) AS w,
               (SELECT coalesce(sum(tasks), 0) FROM queue_batch WHERE queue = q.id AND lease IS NOT NULL) AS l,
               (SELECT coalesce(sum(tasks), 0) FROM queue_batch WHERE queue = q.id AND lease IS NULL) AS d,
               (SELECT count(*) FROM queue_dead WHERE queue = q.id) AS x
               FROM queue_ledger q)
           WHERE id = ? AND (waiting <> w OR leased <> l OR delayed <> d OR dead <> x)",
    fix: &["UPDATE queue_ledger AS q SET
                waiting = (SELECT coalesce(sum(tasks), 0) FROM queue_chunk WHERE queue = q.id AND batch = 0),
                leased = (SELECT coalesce(sum(tasks), 0) FROM queue_batch WHERE queue = q.id AND lease IS NOT NULL),
                delayed = (SELECT coalesce(sum(tasks), 0) FROM queue_batch WHERE queue = q.id AND lease IS NULL),
                dead = (SELECT count(*) FROM queue_dead WHERE queue = q.id)
            WHERE id = ?"],
};
