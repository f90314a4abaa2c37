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

-- The day at an exchange, as far as an expiry of this length tells days: 2026-11-25, or 2026-11 for a month.
CREATE FUNCTION tidemill_today(instrument text, expiry text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT left(
        to_char(
            now() AT TIME ZONE
                CASE WHEN split_part(instrument, ':', 1) IN ('NSE', 'BSE', 'MCX', 'NCDEX') THEN 'Asia/Kolkata' ELSE 'UTC' END,
            'YYYY-MM-DD'
        ),
        length(expiry)
    )
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
-- The ticker's sources, or those of all. OFFSET 0 keeps it a step of its own: once per ticker, not once per row.
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT array_agg(o.source ORDER BY o.place) FROM price_source AS o WHERE o.ticker_symbol = b.ticker_symbol),
        (SELECT array_agg(o.source ORDER BY o.place) FROM price_source AS o WHERE o.ticker_symbol = '*')
    ) AS sources
    OFFSET 0
) AS r
CROSS JOIN LATERAL (
    SELECT c.*
    FROM ticker_price_data AS c
    LEFT JOIN ticker_source AS s ON s.ticker_id = c.ticker_id AND s.price_id = c.id
    WHERE c.ticker_id = b.id AND c.stored_at IS NOT NULL
    ORDER BY
        s.price_id IS NULL,
        least(
            array_position(r.sources, lower(c.kind)),
            array_position(r.sources, c.feed || ':' || lower(c.kind)),
            -- Which of the ticker's futures it is: of those that are not past, how many end earlier. A contract whose feed
            -- knows only its month is compared with its like.
            CASE WHEN r.sources IS NOT NULL AND c.kind = 'FUT' AND c.expiry COLLATE "C" >= tidemill_today(c.instrument, c.expiry)
            THEN (
                SELECT least(array_position(r.sources, t.word), array_position(r.sources, c.feed || ':' || t.word))
                FROM (
                    SELECT (ARRAY['fut-near', 'fut-next', 'fut-far'])[1 + count(DISTINCT f.expiry)] AS word
                    FROM ticker_price_data AS f
                    WHERE
                        f.ticker_id = c.ticker_id
                        AND f.feed = c.feed
                        AND f.kind = 'FUT'
                        AND split_part(f.instrument, ':', 1) = split_part(c.instrument, ':', 1)
                        AND length(f.expiry) = length(c.expiry)
                        AND f.expiry COLLATE "C" >= tidemill_today(f.instrument, f.expiry)
                        AND f.expiry COLLATE "C" < c.expiry
                ) AS t
            ) END
        ) NULLS LAST,
        c.kind NOT IN ('SPOT', 'EQ', 'INDEX'),
        coalesce(c.trade_at, c.received_at) DESC NULLS LAST,
        c.id
    LIMIT 1
) AS p;
