-- Version 5: slices of several days, and runs by what the upstream knows them by.
ALTER TABLE slice ADD COLUMN first_day INTEGER NOT NULL DEFAULT 0;

UPDATE slice SET first_day = last_day;

CREATE INDEX slice_by_day ON slice (project_id, last_day, first_day, completed_at);

ALTER TABLE run ADD COLUMN key TEXT;
