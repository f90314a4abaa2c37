-- Letters of any script may stand in a ticker: coins have Chinese names. Of ASCII still a-z and 0-9 only.
-- SQLite cannot change a check, so the table is made anew under the same name, with the same ids. Dropping it deletes
-- from the tables that refer to it, so those that would cascade are kept aside; the others are only looked at when the
-- transaction ends.
PRAGMA defer_foreign_keys = ON;
DROP VIEW ticker_price;
CREATE TABLE ticker_source_aside AS SELECT * FROM ticker_source;
CREATE TABLE ticker_base_aside AS SELECT * FROM ticker_base;
DROP TABLE ticker_source;
DROP TABLE ticker_base;
CREATE TABLE ticker_base (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticker_symbol TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    exchange TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT ticker_base_ticker_symbol_form CHECK (
        ticker_symbol <> ''
        AND ticker_symbol NOT GLOB '*[' || char(1) || '-/:-`{-' || char(127) || ']*'
    )
) STRICT;
INSERT INTO ticker_base SELECT * FROM ticker_base_aside;
CREATE TABLE ticker_source (
    ticker_id INTEGER PRIMARY KEY REFERENCES ticker_base (id) ON DELETE CASCADE,
    price_id INTEGER NOT NULL REFERENCES ticker_price_data (id) ON DELETE CASCADE
) STRICT;
INSERT INTO ticker_source SELECT * FROM ticker_source_aside;
DROP TABLE ticker_source_aside;
DROP TABLE ticker_base_aside;

-- By which kind of instrument a ticker is priced, edited by operators: the first place that has a price counts.
-- A ticker without rows of its own has those of '*'; a kind that is not listed comes after all that are.
CREATE TABLE price_source (
    ticker_symbol TEXT NOT NULL,
    place INTEGER NOT NULL,
    -- A kind (eq, index, fut, opt, spot, perp, fx, ...), or fut-near, fut-next, fut-far: the future with the nearest,
    -- second, third expiry that is not past. With a feed in front it counts for that feed only: fyers:fut-near.
    source TEXT NOT NULL,
    PRIMARY KEY (ticker_symbol, place),
    CONSTRAINT price_source_place_positive CHECK (place > 0),
    CONSTRAINT price_source_source_form CHECK (
        source NOT GLOB '*[^-a-z0-9_:]*'
        AND source NOT GLOB '*:*:*'
        AND source NOT GLOB ':*'
        AND substr(source, instr(source, ':') + 1) IN (
            'eq', 'index', 'fut', 'fut-near', 'fut-next', 'fut-far', 'opt', 'spot', 'perp', 'fx', 'debt', 'fund', 'etf',
            'misc', 'commodity'
        )
    )
) STRICT, WITHOUT ROWID;

-- Which of a ticker's futures a row is: 0 for the nearest that is not past, 1, 2 and so on. Days are those of the
-- exchange. A contract whose feed knows only its month is compared with its like.
CREATE VIEW ticker_future_term AS
SELECT
    o.id AS price_id,
    (
        SELECT count(DISTINCT f.expiry)
        FROM ticker_price_data AS f
        WHERE
            f.ticker_id = o.ticker_id
            AND f.feed = o.feed
            AND f.kind = 'FUT'
            AND substr(f.instrument, 1, instr(f.instrument, ':')) = substr(o.instrument, 1, instr(o.instrument, ':'))
            AND length(f.expiry) = length(o.expiry)
            AND f.expiry >= substr(
                CASE
                    WHEN substr(f.instrument, 1, instr(f.instrument, ':')) IN ('NSE:', 'BSE:', 'MCX:', 'NCDEX:')
                    THEN date('now', '+330 minutes') ELSE date('now')
                END,
                1,
                length(f.expiry)
            )
            AND f.expiry < o.expiry
    ) AS term
FROM ticker_price_data AS o
WHERE o.kind = 'FUT' AND o.expiry IS NOT NULL AND o.expiry >= substr(
    CASE
        WHEN substr(o.instrument, 1, instr(o.instrument, ':')) IN ('NSE:', 'BSE:', 'MCX:', 'NCDEX:')
        THEN date('now', '+330 minutes') ELSE date('now')
    END,
    1,
    length(o.expiry)
);

-- One price per ticker: the one pinned in ticker_source, else by price_source, else spot before contracts, else the
-- newest trade.
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
    JOIN ticker_base AS t ON t.id = c.ticker_id
    LEFT JOIN ticker_source AS s ON s.ticker_id = c.ticker_id AND s.price_id = c.id
    WHERE c.ticker_id = b.id AND c.stored_at IS NOT NULL
    ORDER BY
        s.price_id IS NULL,
        (
            SELECT min(r.place)
            FROM price_source AS r
            WHERE
                r.ticker_symbol = CASE
                    WHEN EXISTS (SELECT 1 FROM price_source AS o WHERE o.ticker_symbol = t.ticker_symbol)
                    THEN t.ticker_symbol ELSE '*'
                END
                AND (instr(r.source, ':') = 0 OR substr(r.source, 1, instr(r.source, ':') - 1) = c.feed)
                AND CASE substr(r.source, instr(r.source, ':') + 1)
                    WHEN lower(c.kind) THEN 1
                    WHEN 'fut-near' THEN (SELECT term FROM ticker_future_term WHERE price_id = c.id) = 0
                    WHEN 'fut-next' THEN (SELECT term FROM ticker_future_term WHERE price_id = c.id) = 1
                    WHEN 'fut-far' THEN (SELECT term FROM ticker_future_term WHERE price_id = c.id) = 2
                    ELSE 0
                END
        ) NULLS LAST,
        c.kind NOT IN ('SPOT', 'EQ', 'INDEX'),
        coalesce(c.trade_at, c.received_at) DESC,
        c.id
    LIMIT 1
);
