-- What is known of a ticker, whatever feed speaks of it.
CREATE TABLE ticker_base (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticker_symbol text NOT NULL UNIQUE,
    name text NOT NULL,
    exchange text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ticker_base_ticker_symbol_form CHECK (ticker_symbol ~ '^[a-z0-9]+$')
);

-- The newest values of one instrument of one feed, slot by slot, each slot with its own order key.
-- Half of every page stays free: an update then finds room beside the old row and touches no index.
CREATE TABLE ticker_price_data (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticker_id bigint NOT NULL REFERENCES ticker_base (id),
    feed text NOT NULL,
    symbol text NOT NULL,
    instrument text NOT NULL,
    kind text NOT NULL,
    expiry text,
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
    last_price_order bigint NOT NULL DEFAULT 0,
    last_size_order bigint NOT NULL DEFAULT 0,
    bid_order bigint NOT NULL DEFAULT 0,
    ask_order bigint NOT NULL DEFAULT 0,
    open_order bigint NOT NULL DEFAULT 0,
    high_order bigint NOT NULL DEFAULT 0,
    low_order bigint NOT NULL DEFAULT 0,
    previous_close_order bigint NOT NULL DEFAULT 0,
    volume_order bigint NOT NULL DEFAULT 0,
    open_interest_order bigint NOT NULL DEFAULT 0,
    -- Which slots the last write replaced, as bits: how a writer learns what it stored.
    changed_slots integer NOT NULL DEFAULT 0,
    trade_at timestamptz,
    quote_at timestamptz,
    day_at timestamptz,
    received_at timestamptz,
    stored_at timestamptz,
    CONSTRAINT ticker_price_data_feed_instrument UNIQUE (feed, instrument),
    -- NaN sorts above every number, so an upper bound refuses it and the infinities.
    CONSTRAINT ticker_price_data_last_price_range CHECK (last_price > -1e15 AND last_price < 1e15),
    CONSTRAINT ticker_price_data_last_size_range CHECK (last_size >= 0 AND last_size < 1e24),
    CONSTRAINT ticker_price_data_bid_price_range CHECK (bid_price > -1e15 AND bid_price < 1e15),
    CONSTRAINT ticker_price_data_bid_size_range CHECK (bid_size >= 0 AND bid_size < 1e24),
    CONSTRAINT ticker_price_data_ask_price_range CHECK (ask_price > -1e15 AND ask_price < 1e15),
    CONSTRAINT ticker_price_data_ask_size_range CHECK (ask_size >= 0 AND ask_size < 1e24),
    CONSTRAINT ticker_price_data_open_price_range CHECK (open_price > -1e15 AND open_price < 1e15),
    CONSTRAINT ticker_price_data_high_price_range CHECK (high_price > -1e15 AND high_price < 1e15),
    CONSTRAINT ticker_price_data_low_price_range CHECK (low_price > -1e15 AND low_price < 1e15),
    CONSTRAINT ticker_price_data_previous_close_range CHECK (previous_close > -1e15 AND previous_close < 1e15),
    CONSTRAINT ticker_price_data_volume_range CHECK (volume >= 0 AND volume < 1e24),
    CONSTRAINT ticker_price_data_open_interest_range CHECK (open_interest >= 0 AND open_interest < 1e24)
) WITH (fillfactor = 50);

CREATE INDEX ticker_price_data_ticker_id ON ticker_price_data (ticker_id);

-- Whose price stands for a ticker when several feeds or contracts carry it.
CREATE TABLE ticker_source (
    ticker_id bigint PRIMARY KEY REFERENCES ticker_base (id) ON DELETE CASCADE,
    price_id bigint NOT NULL REFERENCES ticker_price_data (id) ON DELETE CASCADE
);

-- One price per ticker: the configured source, else the newest trade, spot before contracts.
CREATE VIEW ticker_price AS
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

-- Tokens of the providers, written by whoever logs in.
CREATE TABLE access_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed text NOT NULL,
    value text NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX access_token_newest ON access_token (feed, created_at DESC);
