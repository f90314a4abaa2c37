-- The wider check of ticker_base stays: every ticker that the earlier program knows passes it.
DROP VIEW ticker_price;
DROP VIEW ticker_future_term;
DROP TABLE price_source;

-- One price per ticker: the configured source, else the newest trade, spot before contracts.
CREATE VIEW ticker_price AS
SELECT
    b.id AS ticker_id,
    b.ticker_symbol,
    b.name,
    p.id AS price_id,
    p.feed,
    p.instrument,
    p.kind,
    p.last_price,
    p.last_size,
    p.bid_price,
    p.bid_size,
    p.ask_price,
    p.ask_size,
    p.open_price,
    p.high_price,
    p.low_price,
    p.previous_close,
    p.volume,
    p.open_interest,
    p.trade_at,
    p.quote_at,
    p.day_at,
    p.received_at,
    p.stored_at
FROM ticker_base AS b
JOIN ticker_price_data AS p ON p.id = (
    SELECT c.id
    FROM ticker_price_data AS c
    LEFT JOIN ticker_source AS s ON s.ticker_id = c.ticker_id AND s.price_id = c.id
    WHERE c.ticker_id = b.id AND c.stored_at IS NOT NULL
    ORDER BY
        s.price_id IS NULL,
        c.kind NOT IN ('SPOT', 'EQ', 'INDEX'),
        coalesce(c.trade_at, c.received_at) DESC,
        c.id
    LIMIT 1
);
