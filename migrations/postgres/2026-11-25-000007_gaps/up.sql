-- Holes in the streams of the providers: messages that were sent and never arrived, or that we gave up.
-- One row per task that told of a hole, however often the task is delivered. What is not known is NULL.
CREATE TABLE tick_gap (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed text NOT NULL,
    conn bigint NOT NULL,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    symbol text,
    stream text NOT NULL,
    kind text NOT NULL,
    from_number bigint,
    to_number bigint,
    missing bigint,
    since timestamptz,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tick_gap_task UNIQUE (feed, conn, epoch, seq)
);
