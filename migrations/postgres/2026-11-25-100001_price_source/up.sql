-- Letters of any script may stand in a ticker: coins have Chinese names. Of ASCII still a-z and 0-9 only.
ALTER TABLE ticker_base DROP CONSTRAINT ticker_base_ticker_symbol_form;
ALTER TABLE ticker_base ADD CONSTRAINT ticker_base_ticker_symbol_form
    CHECK (ticker_symbol <> '' AND ticker_symbol !~ '[\u0001-\u002f\u003a-\u0060\u007b-\u007f]');

-- By which kind of instrument a ticker is priced, edited by operators: the first place that has a price counts.
-- A ticker without rows of its own has those of '*'; a kind that is not listed comes after all that are.
CREATE TABLE price_source (
    ticker_symbol text NOT NULL,
    place smallint NOT NULL,
    -- A kind (eq, index, fut, opt, spot, perp, fx, ...), or fut-near, fut-next, fut-far: the future with the nearest,
    -- second, third expiry that is not past. With a feed in front it counts for that feed only: fyers:fut-near.
    source text NOT NULL,
    PRIMARY KEY (ticker_symbol, place),
    CONSTRAINT price_source_place_positive CHECK (place > 0),
    CONSTRAINT price_source_source_form
        CHECK (source ~ '^([a-z0-9_]+:)?(eq|index|fut|fut-near|fut-next|fut-far|opt|spot|perp|fx|debt|fund|etf|misc|commodity)$')
);

-- Which of a ticker's futures a row is: 'near', 'next', 'far', or null beyond and for what is past. Days are those of
-- the exchange, at the moment given. A contract whose feed knows only its month is compared with its like.
CREATE FUNCTION tidemill_future_term(price_id bigint, at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH own AS (
        SELECT
            p.*,
            split_part(p.instrument, ':', 1) AS venue,
            to_char(
                at AT TIME ZONE
                    CASE WHEN split_part(p.instrument, ':', 1) IN ('NSE', 'BSE', 'MCX', 'NCDEX') THEN 'Asia/Kolkata' ELSE 'UTC' END,
                'YYYY-MM-DD'
            ) AS today
        FROM ticker_price_data AS p
        WHERE p.id = price_id AND p.kind = 'FUT' AND p.expiry IS NOT NULL
    )
    SELECT (ARRAY['near', 'next', 'far'])[1 + (
        SELECT count(DISTINCT f.expiry)
        FROM ticker_price_data AS f
        WHERE
            f.ticker_id = o.ticker_id
            AND f.feed = o.feed
            AND f.kind = 'FUT'
            AND split_part(f.instrument, ':', 1) = o.venue
            AND length(f.expiry) = length(o.expiry)
            AND f.expiry COLLATE "C" >= left(o.today, length(f.expiry))
            AND f.expiry COLLATE "C" < o.expiry
    )]
    FROM own AS o
    WHERE o.expiry COLLATE "C" >= left(o.today, length(o.expiry))
$$;

-- One price per ticker: the one pinned in ticker_source, else by price_source, else spot before contracts, else the
-- newest trade.
CREATE OR REPLACE VIEW ticker_price AS
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
CROSS JOIN LATERAL (
    SELECT c.*
    FROM ticker_price_data AS c
    LEFT JOIN ticker_source AS s ON s.ticker_id = c.ticker_id AND s.price_id = c.id
    LEFT JOIN LATERAL (
        SELECT min(r.place) AS place
        FROM price_source AS r
        CROSS JOIN LATERAL (
            SELECT CASE WHEN position(':' IN r.source) > 0 THEN split_part(r.source, ':', 2) ELSE r.source END AS word
        ) AS w
        WHERE
            r.ticker_symbol = CASE
                WHEN EXISTS (SELECT FROM price_source AS o WHERE o.ticker_symbol = b.ticker_symbol) THEN b.ticker_symbol
                ELSE '*'
            END
            AND (r.source = w.word OR r.source = c.feed || ':' || w.word)
            AND CASE
                WHEN w.word LIKE 'fut-%' THEN c.kind = 'FUT' AND w.word = 'fut-' || tidemill_future_term(c.id, now())
                ELSE w.word = lower(c.kind)
            END
    ) AS r ON true
    WHERE c.ticker_id = b.id AND c.stored_at IS NOT NULL
    ORDER BY
        s.price_id IS NULL,
        r.place NULLS LAST,
        c.kind NOT IN ('SPOT', 'EQ', 'INDEX'),
        coalesce(c.trade_at, c.received_at) DESC NULLS LAST,
        c.id
    LIMIT 1
) AS p;
