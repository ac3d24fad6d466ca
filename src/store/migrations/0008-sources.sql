-- Version 8: cited domains by prompt and engine, and the runs of them where rivals stand without the own brand.
CREATE TABLE day_source (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    cells      BLOB NOT NULL,
    UNIQUE (project_id, day)
) STRICT;

-- The next sync fills it for the days that are here; until then they are counted from the rows.
INSERT OR IGNORE INTO dirty_day (project_id, day) SELECT project_id, day FROM day_base;
