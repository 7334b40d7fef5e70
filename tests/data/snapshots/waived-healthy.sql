-- SQL fixes for prod, in the order in which they are to be applied.
-- Read each one before you run it; fallbacks and undos are commented out. Run them by
-- psql -v ON_ERROR_STOP=1 through your tunnel, as the owner of the tables.
-- Fixes that are not SQL, such as deploys, have their numbers too: they stand in summary.md.
-- There is nothing to mend by SQL.

-- SQL for waived findings, and what they explain, is left out: it stands in summary.md.
