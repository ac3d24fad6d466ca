-- Version 9: which models answered for which engines, day by day.
CREATE TABLE day_model (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    engine_id  INTEGER NOT NULL REFERENCES engine (id),
    model_id   INTEGER NOT NULL REFERENCES model (id),
    runs       INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, engine_id, model_id)
) STRICT, WITHOUT ROWID;

-- The next sync fills it for the days that are here; until then they are counted from the rows.
INSERT OR IGNORE INTO dirty_day (project_id, day) SELECT DISTINCT project_id, day FROM run;
