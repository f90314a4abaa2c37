-- Raises again what is no row's fault, with the SQLSTATE in the hint, where a client can read it that is shown no codes.
-- Classes: connection, transaction state, authorisation, names and permissions, resources, operator, system, internal;
-- rollback and object state are contention.
CREATE FUNCTION tidemill_raise_unless_a_rows_fault(code text, message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF left(code, 2) IN ('08', '25', '26', '28', '3D', '3F', '40', '42', '53', '55', '57', '58', 'XX') THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, HINT = 'SQLSTATE ' || code;
    END IF;
END
$$;

-- Puts a refused price into the ticker's legacy table, once, if there is such a table. True when it is there.
-- The casts are those of the table's own columns: a price that they round must still be found again.
CREATE FUNCTION tidemill_write_legacy(price_id bigint, at timestamptz, price numeric) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    named text;
    target regclass;
    at_type text;
    price_type text;
    refused text;
    reason text;
BEGIN
    SELECT b.ticker_symbol || CASE p.kind WHEN 'FUT' THEN '_future' ELSE '' END || '_websocket_data' INTO named
    FROM ticker_price_data AS p JOIN ticker_base AS b ON b.id = p.ticker_id
    WHERE p.id = price_id;
    IF at IS NULL OR price IS NULL OR named IS NULL OR named !~ '^[a-z0-9_]{1,63}$' THEN
        RETURN false;
    END IF;
    target := to_regclass(quote_ident(named));
    SELECT format_type(a.atttypid, a.atttypmod) INTO at_type
    FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = 'timestamp' AND NOT a.attisdropped;
    SELECT format_type(a.atttypid, a.atttypmod) INTO price_type
    FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = 'ltp' AND NOT a.attisdropped;
    IF at_type IS NULL OR price_type IS NULL THEN
        RETURN false;
    END IF;
    -- Two workers may hold the same tick: the second waits here and then sees the first one's row.
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemill legacy ' || named, 0));
    EXECUTE format(
        'INSERT INTO %1$s ("timestamp", ltp) SELECT $1::%2$s, $2::%3$s WHERE NOT EXISTS '
        '(SELECT FROM %1$s WHERE "timestamp" = $1::%2$s AND ltp = $2::%3$s)',
        target, at_type, price_type
    ) USING at, price;
    RETURN true;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS refused = RETURNED_SQLSTATE, reason = MESSAGE_TEXT;
    PERFORM tidemill_raise_unless_a_rows_fault(refused, reason);
    RETURN false;
END
$$;

-- Writes a batch row by row, in its order: what `UPDATE .. FROM unnest` does for a whole batch, but a refused row keeps
-- its neighbours. A row and its ticks of the history (those whose `ticks_row` is its place, from 1) stand or fall together.
-- Returns each row's place with the slots it stored (none: superseded; null and no code: the row is gone) or with the
-- SQLSTATE of its refusal and whether the legacy table took it.
CREATE FUNCTION tidemill_write_each(
    rows_id bigint[],
    rows_last_price numeric[],
    rows_last_size numeric[],
    rows_bid_price numeric[],
    rows_bid_size numeric[],
    rows_ask_price numeric[],
    rows_ask_size numeric[],
    rows_open_price numeric[],
    rows_high_price numeric[],
    rows_low_price numeric[],
    rows_previous_close numeric[],
    rows_volume numeric[],
    rows_open_interest numeric[],
    rows_last_price_order bigint[],
    rows_last_size_order bigint[],
    rows_bid_order bigint[],
    rows_ask_order bigint[],
    rows_open_order bigint[],
    rows_high_order bigint[],
    rows_low_order bigint[],
    rows_previous_close_order bigint[],
    rows_volume_order bigint[],
    rows_open_interest_order bigint[],
    rows_trade_at timestamptz[],
    rows_quote_at timestamptz[],
    rows_day_at timestamptz[],
    rows_received_at timestamptz[],
    ticks_row integer[],
    ticks_instrument_id bigint[],
    ticks_order_key bigint[],
    ticks_index_in_message smallint[],
    ticks_received_at timestamptz[],
    ticks_exchange_at timestamptz[],
    ticks_trade_id bigint[],
    ticks_last_price numeric[],
    ticks_last_size numeric[],
    ticks_bid_price numeric[],
    ticks_bid_size numeric[],
    ticks_ask_price numeric[],
    ticks_ask_size numeric[],
    ticks_open_price numeric[],
    ticks_high_price numeric[],
    ticks_low_price numeric[],
    ticks_previous_close numeric[],
    ticks_volume numeric[],
    ticks_open_interest numeric[]
) RETURNS TABLE (place bigint, slots integer, code text, message text, legacy boolean)
LANGUAGE plpgsql AS $$
DECLARE
    n record;
BEGIN
    -- In the order that every writer locks in.
    PERFORM FROM ticker_price_data AS t WHERE t.id = ANY (rows_id) ORDER BY t.id FOR NO KEY UPDATE;

    FOR n IN
        SELECT r.*, h.ticks
        FROM unnest(
            rows_id, rows_last_price, rows_last_size, rows_bid_price, rows_bid_size, rows_ask_price, rows_ask_size,
            rows_open_price, rows_high_price, rows_low_price, rows_previous_close, rows_volume, rows_open_interest,
            rows_last_price_order, rows_last_size_order, rows_bid_order, rows_ask_order, rows_open_order,
            rows_high_order, rows_low_order, rows_previous_close_order, rows_volume_order,
            rows_open_interest_order, rows_trade_at, rows_quote_at, rows_day_at, rows_received_at
        ) WITH ORDINALITY AS r(
            id, last_price, last_size, bid_price, bid_size, ask_price, ask_size, open_price, high_price, low_price,
            previous_close, volume, open_interest, last_price_order, last_size_order, bid_order, ask_order,
            open_order, high_order, low_order, previous_close_order, volume_order, open_interest_order, trade_at,
            quote_at, day_at, received_at, place
        )
        LEFT JOIN (
            SELECT
                u.of_row,
                array_agg(
                    ROW(
                        u.instrument_id, u.order_key, u.index_in_message, u.received_at, u.exchange_at, u.trade_id,
                        u.last_price, u.last_size, u.bid_price, u.bid_size, u.ask_price, u.ask_size, u.open_price,
                        u.high_price, u.low_price, u.previous_close, u.volume, u.open_interest
                    )::tick_history
                ) AS ticks
            FROM unnest(
                ticks_row,
                ticks_instrument_id, ticks_order_key, ticks_index_in_message, ticks_received_at, ticks_exchange_at,
                ticks_trade_id, ticks_last_price, ticks_last_size, ticks_bid_price, ticks_bid_size,
                ticks_ask_price, ticks_ask_size, ticks_open_price, ticks_high_price, ticks_low_price,
                ticks_previous_close, ticks_volume, ticks_open_interest
            ) AS u(
                of_row,
                instrument_id, order_key, index_in_message, received_at, exchange_at, trade_id, last_price,
                last_size, bid_price, bid_size, ask_price, ask_size, open_price, high_price, low_price,
                previous_close, volume, open_interest
            )
            GROUP BY u.of_row
        ) AS h ON h.of_row = r.place
        ORDER BY r.place
    LOOP
        place := n.place;
        slots := NULL;
        code := NULL;
        message := NULL;
        legacy := false;
        BEGIN
            UPDATE ticker_price_data AS t
            SET
                last_price = CASE WHEN n.last_price_order > t.last_price_order THEN n.last_price ELSE t.last_price END,
                last_size = CASE WHEN n.last_size_order > t.last_size_order THEN n.last_size ELSE t.last_size END,
                bid_price = CASE WHEN n.bid_order > t.bid_order THEN n.bid_price ELSE t.bid_price END,
                bid_size = CASE WHEN n.bid_order > t.bid_order THEN n.bid_size ELSE t.bid_size END,
                ask_price = CASE WHEN n.ask_order > t.ask_order THEN n.ask_price ELSE t.ask_price END,
                ask_size = CASE WHEN n.ask_order > t.ask_order THEN n.ask_size ELSE t.ask_size END,
                open_price = CASE WHEN n.open_order > t.open_order THEN n.open_price ELSE t.open_price END,
                high_price = CASE WHEN n.high_order > t.high_order THEN n.high_price ELSE t.high_price END,
                low_price = CASE WHEN n.low_order > t.low_order THEN n.low_price ELSE t.low_price END,
                previous_close = CASE WHEN n.previous_close_order > t.previous_close_order THEN n.previous_close ELSE t.previous_close END,
                volume = CASE WHEN n.volume_order > t.volume_order THEN n.volume ELSE t.volume END,
                open_interest = CASE WHEN n.open_interest_order > t.open_interest_order THEN n.open_interest ELSE t.open_interest END,
                last_price_order = greatest(n.last_price_order, t.last_price_order),
                last_size_order = greatest(n.last_size_order, t.last_size_order),
                bid_order = greatest(n.bid_order, t.bid_order),
                ask_order = greatest(n.ask_order, t.ask_order),
                open_order = greatest(n.open_order, t.open_order),
                high_order = greatest(n.high_order, t.high_order),
                low_order = greatest(n.low_order, t.low_order),
                previous_close_order = greatest(n.previous_close_order, t.previous_close_order),
                volume_order = greatest(n.volume_order, t.volume_order),
                open_interest_order = greatest(n.open_interest_order, t.open_interest_order),
                trade_at = CASE WHEN n.last_price_order > t.last_price_order THEN n.trade_at ELSE t.trade_at END,
                quote_at = CASE WHEN greatest(n.bid_order, n.ask_order) > greatest(t.bid_order, t.ask_order) THEN n.quote_at ELSE t.quote_at END,
                day_at = CASE
                    WHEN
                        greatest(n.open_order, n.high_order, n.low_order, n.previous_close_order, n.volume_order, n.open_interest_order)
                        > greatest(t.open_order, t.high_order, t.low_order, t.previous_close_order, t.volume_order, t.open_interest_order)
                    THEN n.day_at ELSE t.day_at
                END,
                received_at = greatest(n.received_at, t.received_at),
                stored_at = now(),
                changed_slots =
                    CASE WHEN n.last_price_order > t.last_price_order THEN 1 ELSE 0 END
                    + CASE WHEN n.last_size_order > t.last_size_order THEN 2 ELSE 0 END
                    + CASE WHEN n.bid_order > t.bid_order THEN 4 ELSE 0 END
                    + CASE WHEN n.ask_order > t.ask_order THEN 8 ELSE 0 END
                    + CASE WHEN n.open_order > t.open_order THEN 16 ELSE 0 END
                    + CASE WHEN n.high_order > t.high_order THEN 32 ELSE 0 END
                    + CASE WHEN n.low_order > t.low_order THEN 64 ELSE 0 END
                    + CASE WHEN n.previous_close_order > t.previous_close_order THEN 128 ELSE 0 END
                    + CASE WHEN n.volume_order > t.volume_order THEN 256 ELSE 0 END
                    + CASE WHEN n.open_interest_order > t.open_interest_order THEN 512 ELSE 0 END
            WHERE
                t.id = n.id
                AND (
                    n.last_price_order > t.last_price_order
                    OR n.last_size_order > t.last_size_order
                    OR n.bid_order > t.bid_order
                    OR n.ask_order > t.ask_order
                    OR n.open_order > t.open_order
                    OR n.high_order > t.high_order
                    OR n.low_order > t.low_order
                    OR n.previous_close_order > t.previous_close_order
                    OR n.volume_order > t.volume_order
                    OR n.open_interest_order > t.open_interest_order
                    OR n.received_at > t.received_at
                )
            RETURNING t.changed_slots INTO slots;
            IF NOT FOUND THEN
                SELECT 0 INTO slots FROM ticker_price_data AS t WHERE t.id = n.id;
            END IF;
            IF slots IS NOT NULL AND n.ticks IS NOT NULL THEN
                INSERT INTO tick_history SELECT u.* FROM unnest(n.ticks) AS u ON CONFLICT DO NOTHING;
            END IF;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
            GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
            PERFORM tidemill_raise_unless_a_rows_fault(code, message);
            slots := NULL;
            legacy := tidemill_write_legacy(n.id, coalesce(n.trade_at, n.received_at), n.last_price);
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
