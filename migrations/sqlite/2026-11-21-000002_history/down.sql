DROP TABLE tick_history;
