DROP TABLE access_token;
DROP VIEW ticker_price;
DROP TABLE ticker_source;
DROP TABLE ticker_price_data;
DROP TABLE ticker_base;
