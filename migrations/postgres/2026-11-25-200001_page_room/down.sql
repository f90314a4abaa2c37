ALTER TABLE ticker_price_data SET (fillfactor = 50);
