DROP FUNCTION tidemill_add_history_days(date[]);
DROP TABLE tick_history;
