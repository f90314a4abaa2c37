-- Holes in the streams of the providers: messages that were sent and never arrived, or that we gave up.
-- One row per task that told of a hole, however often the task is delivered. What is not known is NULL.
CREATE TABLE tick_gap (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    feed TEXT NOT NULL,
    conn INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    symbol TEXT,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_number INTEGER,
    to_number INTEGER,
    missing INTEGER,
    since INTEGER,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    CONSTRAINT tick_gap_task UNIQUE (feed, conn, epoch, seq)
) STRICT;
