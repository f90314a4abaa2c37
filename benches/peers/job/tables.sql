-- What the peers write to: our two tables with the columns that a trade fills, half of every page free as in ours, and
-- every ticker known beforehand. `{symbols}` is filled in.
CREATE TABLE ticker_base (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticker_symbol text NOT NULL UNIQUE
);

CREATE TABLE ticker_price_data (
    ticker_id bigint PRIMARY KEY REFERENCES ticker_base (id),
    last_price numeric NOT NULL,
    last_size numeric NOT NULL,
    last_price_order bigint NOT NULL,
    trade_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL
) WITH (fillfactor = 50);

INSERT INTO ticker_base (ticker_symbol)
SELECT 'sim' || lpad(n::text, greatest(3, length(n::text)), '0') || 'usdt' FROM generate_series(1, {symbols}) AS n;
