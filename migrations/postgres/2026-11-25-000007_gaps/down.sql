DROP TABLE tick_gap;
