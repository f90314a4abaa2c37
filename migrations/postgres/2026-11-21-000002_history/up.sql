-- Every tick, append-only, one partition per day of reception (UTC).
-- No foreign key: its check would cost more than the insert.
CREATE TABLE tick_history (
    instrument_id bigint NOT NULL,
    order_key bigint NOT NULL,
    index_in_message smallint NOT NULL,
    received_at timestamptz NOT NULL,
    exchange_at timestamptz,
    trade_id bigint,
    last_price numeric,
    last_size numeric,
    bid_price numeric,
    bid_size numeric,
    ask_price numeric,
    ask_size numeric,
    open_price numeric,
    high_price numeric,
    low_price numeric,
    previous_close numeric,
    volume numeric,
    open_interest numeric,
    PRIMARY KEY (received_at, order_key, index_in_message)
) PARTITION BY RANGE (received_at);

-- Adds the partitions of these days. Attaching takes a weaker lock than creating in place: writers go on meanwhile.
CREATE FUNCTION tidemill_add_history_days(days date[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    day date;
    partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemill history days', 0));
    FOREACH day IN ARRAY days LOOP
        partition := 'tick_history_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(quote_ident(partition)) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE tick_history INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format(
            'ALTER TABLE tick_history ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC'
        );
    END LOOP;
END
$$;
