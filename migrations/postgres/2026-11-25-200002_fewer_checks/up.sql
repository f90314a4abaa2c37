-- Two constraints instead of twelve, which allow and refuse the same: `greatest` and `least` skip nulls, and NaN sorts above
-- every number. Each constraint is read anew from the catalogue by every statement and evaluated on its own for every
-- row: twelve of them took a fifth of the time of an update.
ALTER TABLE ticker_price_data
    DROP CONSTRAINT ticker_price_data_last_price_range,
    DROP CONSTRAINT ticker_price_data_last_size_range,
    DROP CONSTRAINT ticker_price_data_bid_price_range,
    DROP CONSTRAINT ticker_price_data_bid_size_range,
    DROP CONSTRAINT ticker_price_data_ask_price_range,
    DROP CONSTRAINT ticker_price_data_ask_size_range,
    DROP CONSTRAINT ticker_price_data_open_price_range,
    DROP CONSTRAINT ticker_price_data_high_price_range,
    DROP CONSTRAINT ticker_price_data_low_price_range,
    DROP CONSTRAINT ticker_price_data_previous_close_range,
    DROP CONSTRAINT ticker_price_data_volume_range,
    DROP CONSTRAINT ticker_price_data_open_interest_range,
    ADD CONSTRAINT ticker_price_data_price_range CHECK (
        least(last_price, bid_price, ask_price, open_price, high_price, low_price, previous_close) > -1e15
        AND greatest(last_price, bid_price, ask_price, open_price, high_price, low_price, previous_close) < 1e15
    ),
    ADD CONSTRAINT ticker_price_data_size_range CHECK (
        least(last_size, bid_size, ask_size, volume, open_interest) >= 0
        AND greatest(last_size, bid_size, ask_size, volume, open_interest) < 1e24
    );
