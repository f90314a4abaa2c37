-- One tick, unless a newer one is there.
INSERT INTO ticker_price_data AS t (ticker_id, last_price_order, last_price, last_size, trade_at, stored_at)
VALUES ($1::bigint, $2::bigint, $3::text::numeric, $4::text::numeric,
    to_timestamp($5::bigint / 1000.0), clock_timestamp())
ON CONFLICT (ticker_id) DO UPDATE SET
    last_price_order = excluded.last_price_order,
    last_price = excluded.last_price,
    last_size = excluded.last_size,
    trade_at = excluded.trade_at,
    stored_at = excluded.stored_at
WHERE t.last_price_order < excluded.last_price_order
