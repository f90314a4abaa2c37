-- What is known of a ticker, whatever feed speaks of it.
CREATE TABLE ticker_base (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticker_symbol TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    exchange TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT ticker_base_ticker_symbol_form CHECK (ticker_symbol <> '' AND ticker_symbol NOT GLOB '*[^a-z0-9]*')
) STRICT;

-- The newest values of one instrument of one feed, slot by slot, each slot with its own order key.
-- Decimals are text, digits as sent; times are microseconds since 1970.
CREATE TABLE ticker_price_data (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticker_id INTEGER NOT NULL REFERENCES ticker_base (id),
    feed TEXT NOT NULL,
    symbol TEXT NOT NULL,
    instrument TEXT NOT NULL,
    kind TEXT NOT NULL,
    expiry TEXT,
    last_price TEXT,
    last_size TEXT,
    bid_price TEXT,
    bid_size TEXT,
    ask_price TEXT,
    ask_size TEXT,
    open_price TEXT,
    high_price TEXT,
    low_price TEXT,
    previous_close TEXT,
    volume TEXT,
    open_interest TEXT,
    last_price_order INTEGER NOT NULL DEFAULT 0,
    last_size_order INTEGER NOT NULL DEFAULT 0,
    bid_order INTEGER NOT NULL DEFAULT 0,
    ask_order INTEGER NOT NULL DEFAULT 0,
    open_order INTEGER NOT NULL DEFAULT 0,
    high_order INTEGER NOT NULL DEFAULT 0,
    low_order INTEGER NOT NULL DEFAULT 0,
    previous_close_order INTEGER NOT NULL DEFAULT 0,
    volume_order INTEGER NOT NULL DEFAULT 0,
    open_interest_order INTEGER NOT NULL DEFAULT 0,
    trade_at INTEGER,
    quote_at INTEGER,
    day_at INTEGER,
    received_at INTEGER,
    stored_at INTEGER,
    CONSTRAINT ticker_price_data_feed_instrument UNIQUE (feed, instrument),
    -- Digits, a point and for prices a sign, nothing else: NaN and the infinities are words.
    CONSTRAINT ticker_price_data_last_price_range CHECK (last_price NOT GLOB '*[^-0-9.]*' AND abs(CAST(last_price AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_last_size_range CHECK (last_size NOT GLOB '*[^0-9.]*' AND CAST(last_size AS REAL) < 1e24),
    CONSTRAINT ticker_price_data_bid_price_range CHECK (bid_price NOT GLOB '*[^-0-9.]*' AND abs(CAST(bid_price AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_bid_size_range CHECK (bid_size NOT GLOB '*[^0-9.]*' AND CAST(bid_size AS REAL) < 1e24),
    CONSTRAINT ticker_price_data_ask_price_range CHECK (ask_price NOT GLOB '*[^-0-9.]*' AND abs(CAST(ask_price AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_ask_size_range CHECK (ask_size NOT GLOB '*[^0-9.]*' AND CAST(ask_size AS REAL) < 1e24),
    CONSTRAINT ticker_price_data_open_price_range CHECK (open_price NOT GLOB '*[^-0-9.]*' AND abs(CAST(open_price AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_high_price_range CHECK (high_price NOT GLOB '*[^-0-9.]*' AND abs(CAST(high_price AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_low_price_range CHECK (low_price NOT GLOB '*[^-0-9.]*' AND abs(CAST(low_price AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_previous_close_range CHECK (previous_close NOT GLOB '*[^-0-9.]*' AND abs(CAST(previous_close AS REAL)) < 1e15),
    CONSTRAINT ticker_price_data_volume_range CHECK (volume NOT GLOB '*[^0-9.]*' AND CAST(volume AS REAL) < 1e24),
    CONSTRAINT ticker_price_data_open_interest_range CHECK (open_interest NOT GLOB '*[^0-9.]*' AND CAST(open_interest AS REAL) < 1e24)
) STRICT;

CREATE INDEX ticker_price_data_ticker_id ON ticker_price_data (ticker_id);

-- Whose price stands for a ticker when several feeds or contracts carry it.
CREATE TABLE ticker_source (
    ticker_id INTEGER PRIMARY KEY REFERENCES ticker_base (id) ON DELETE CASCADE,
    price_id INTEGER NOT NULL REFERENCES ticker_price_data (id) ON DELETE CASCADE
) STRICT;

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

-- Tokens of the providers, written by whoever logs in.
CREATE TABLE access_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    feed TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX access_token_newest ON access_token (feed, created_at DESC);
