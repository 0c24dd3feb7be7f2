-- One database role for each service that has tables, with rights on its own schema only.
-- The image of PostgreSQL runs this file when it makes a new database. Elsewhere run it once, as the role that will
-- run `presswork init` (it owns the database and may create roles), before or after the first migration; again is safe:
--   SERVICES_PASSWORD=... psql "$OWNERS_URL" -f deploy/postgres/roles.sql
-- It needs psql 15 or newer. Each service then gets a DATABASE_URL of its own:
--   postgresql://presswork_dedup:...@host/presswork
\set ON_ERROR_STOP on
\getenv password SERVICES_PASSWORD
\if :{?password}
\else
  DO $$BEGIN RAISE EXCEPTION 'set SERVICES_PASSWORD to the password that the services'' roles shall have'; END$$;
\endif

BEGIN;

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec

SELECT format('CREATE ROLE %I LOGIN', role)
  FROM unnest(ARRAY['presswork_ingest', 'presswork_dedup', 'presswork_storage', 'presswork_publisher']) AS role
 WHERE role NOT IN (SELECT rolname FROM pg_roles) \gexec

-- The names of schema and role differ by the prefix only. The owner's later tables are covered by default privileges.
SELECT format(command, 'presswork_' || schema, schema, current_database(), :'password')
  FROM unnest(ARRAY['ingest', 'dedup', 'storage', 'publisher']) AS schema,
       unnest(ARRAY[
         'ALTER ROLE %1$I LOGIN PASSWORD %4$L',
         'GRANT CONNECT ON DATABASE %3$I TO %1$I',
         'CREATE SCHEMA IF NOT EXISTS %2$I',
         'GRANT USAGE ON SCHEMA %2$I TO %1$I',
         'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %2$I TO %1$I',
         'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %2$I TO %1$I',
         'ALTER DEFAULT PRIVILEGES IN SCHEMA %2$I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %1$I',
         'ALTER DEFAULT PRIVILEGES IN SCHEMA %2$I GRANT USAGE, SELECT ON SEQUENCES TO %1$I'
       ]) WITH ORDINALITY AS step (command, number)
 ORDER BY schema, number \gexec

-- The original lane runs the other services' handlers inside ingest, so ingest may do what they may.
GRANT presswork_dedup, presswork_storage, presswork_publisher TO presswork_ingest;

COMMIT;
