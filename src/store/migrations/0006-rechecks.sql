-- Version 6: published figures beside the same from the cached rows, kept day by day.
CREATE TABLE recheck (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    brand      TEXT NOT NULL,
    metric     TEXT NOT NULL,
    published  REAL NOT NULL,
    computed   REAL NOT NULL,
    PRIMARY KEY (project_id, day, brand, metric)
) STRICT, WITHOUT ROWID;

-- The next sync fills it for the days that are here.
INSERT OR IGNORE INTO dirty_day (project_id, day) SELECT DISTINCT project_id, day FROM published WHERE brand <> '';
