-- One price per ticker: the configured source, else the newest trade, spot before contracts.
CREATE OR REPLACE VIEW ticker_price AS
SELECT DISTINCT ON (b.id)
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
JOIN ticker_price_data AS p ON p.ticker_id = b.id AND p.stored_at IS NOT NULL
LEFT JOIN ticker_source AS s ON s.ticker_id = b.id AND s.price_id = p.id
ORDER BY
    b.id,
    s.price_id IS NULL,
    p.kind NOT IN ('SPOT', 'EQ', 'INDEX'),
    coalesce(p.trade_at, p.received_at) DESC NULLS LAST,
    p.id;

DROP FUNCTION tidemill_today;
DROP TABLE price_source;

-- Tickers that are there already stay, whatever their script.
ALTER TABLE ticker_base DROP CONSTRAINT ticker_base_ticker_symbol_form;
ALTER TABLE ticker_base ADD CONSTRAINT ticker_base_ticker_symbol_form CHECK (ticker_symbol ~ '^[a-z0-9]+$') NOT VALID;
