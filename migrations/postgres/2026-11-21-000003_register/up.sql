-- Finds, and if asked creates, the rows of many listings in one round trip. A function because each of its statements
-- sees what other writers committed meanwhile; sorted inserts, so that two of them never wait in a circle.
-- Returns the listing's place (from 1) and its row; no id where the ticker is not known.
CREATE FUNCTION tidemill_register(
    feeds text[],
    symbols text[],
    instruments text[],
    kinds text[],
    expiries text[],
    tickers text[],
    names text[],
    exchanges text[],
    create_missing boolean
) RETURNS TABLE (place bigint, price_id bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF create_missing THEN
        INSERT INTO ticker_base (ticker_symbol, name, exchange)
        SELECT DISTINCT ON (n.ticker) n.ticker, n.name, n.exchange
        FROM unnest(tickers, names, exchanges) WITH ORDINALITY AS n(ticker, name, exchange, place)
        WHERE NOT EXISTS (SELECT FROM ticker_base AS b WHERE b.ticker_symbol = n.ticker)
        ORDER BY n.ticker, n.place
        ON CONFLICT (ticker_symbol) DO NOTHING;
    END IF;

    INSERT INTO ticker_price_data (ticker_id, feed, symbol, instrument, kind, expiry)
    SELECT DISTINCT ON (n.feed, n.instrument) b.id, n.feed, n.symbol, n.instrument, n.kind, n.expiry
    FROM unnest(feeds, symbols, instruments, kinds, expiries, tickers)
        WITH ORDINALITY AS n(feed, symbol, instrument, kind, expiry, ticker, place)
    JOIN ticker_base AS b ON b.ticker_symbol = n.ticker
    WHERE NOT EXISTS (
        SELECT FROM ticker_price_data AS p WHERE p.feed = n.feed AND p.instrument = n.instrument
    )
    ORDER BY n.feed, n.instrument, n.place
    ON CONFLICT (feed, instrument) DO NOTHING;

    RETURN QUERY
    SELECT n.place, p.id
    FROM unnest(feeds, instruments) WITH ORDINALITY AS n(feed, instrument, place)
    LEFT JOIN ticker_price_data AS p ON p.feed = n.feed AND p.instrument = n.instrument
    ORDER BY n.place;
END
$$;
