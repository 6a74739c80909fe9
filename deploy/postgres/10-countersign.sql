-- Run once, on an empty data folder, as the superuser: the database belongs to a user who is none.
\set password `cat /run/secrets/database_password`
CREATE ROLE countersign LOGIN PASSWORD :'password';
ALTER DATABASE countersign OWNER TO countersign;
