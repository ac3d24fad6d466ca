-- Version 2: daily rollups, packed cells per project and day, and the days whose rollups are behind their rows.
CREATE TABLE day_base (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    cells      BLOB NOT NULL,
    UNIQUE (project_id, day)
) STRICT;

CREATE TABLE day_brand (
    id       INTEGER PRIMARY KEY,
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    basis    TEXT NOT NULL,
    day      INTEGER NOT NULL,
    cells    BLOB NOT NULL,
    UNIQUE (brand_id, basis, day)
) STRICT;

CREATE TABLE day_domain (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    cells      BLOB NOT NULL,
    UNIQUE (project_id, day)
) STRICT;

CREATE TABLE dirty_day (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE day_count (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    engine_id  INTEGER NOT NULL REFERENCES engine (id),
    status_id  INTEGER NOT NULL REFERENCES status (id),
    runs       INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, engine_id, status_id)
) STRICT, WITHOUT ROWID;
