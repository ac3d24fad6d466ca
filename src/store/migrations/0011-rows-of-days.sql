-- Version 11: between which rows the runs of a day lie, so that words are looked for in the answers of a window alone.
CREATE TABLE day_rows (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    low        INTEGER NOT NULL,
    high       INTEGER NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT, WITHOUT ROWID;

INSERT INTO day_rows (project_id, day, low, high)
SELECT project_id, day, min(id), max(id) FROM run INDEXED BY run_by_day GROUP BY project_id, day;
