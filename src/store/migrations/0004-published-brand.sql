-- Version 4: figures that an upstream publishes per brand.
ALTER TABLE published RENAME TO published_of_version_3;

CREATE TABLE published (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    brand      TEXT NOT NULL,
    engine     TEXT NOT NULL,
    metric     TEXT NOT NULL,
    value      TEXT NOT NULL,
    UNIQUE (project_id, day, brand, engine, metric)
) STRICT;

INSERT INTO published (id, project_id, day, brand, engine, metric, value)
SELECT id, project_id, day, '', engine, metric, value FROM published_of_version_3;

DROP TABLE published_of_version_3;
