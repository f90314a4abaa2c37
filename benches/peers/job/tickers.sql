-- What a worker knows before its first tick: the row of every symbol.
SELECT upper(ticker_symbol), id FROM ticker_base
