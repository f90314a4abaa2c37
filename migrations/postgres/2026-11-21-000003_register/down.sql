DROP FUNCTION tidemill_register;
