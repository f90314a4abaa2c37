-- Every tick, append-only. The order key grows with time, so new rows go to the end of the tree.
CREATE TABLE tick_history (
    instrument_id INTEGER NOT NULL,
    order_key INTEGER NOT NULL,
    index_in_message INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    exchange_at INTEGER,
    trade_id INTEGER,
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
    PRIMARY KEY (order_key, index_in_message)
) STRICT, WITHOUT ROWID;
