-- Version 7: facts read off the answers' text beside those of the upstream, in one row per run and brand.
CREATE TABLE fact (
    run_id                  INTEGER NOT NULL REFERENCES run (id),
    brand_id                INTEGER NOT NULL REFERENCES brand (id),
    mentions                INTEGER,
    citations               INTEGER,
    best_citation_position  INTEGER,
    mention_rank            INTEGER,
    sentiment               REAL,
    sentiment_justification TEXT,
    mention_quality         REAL,
    citation_quality        REAL,
    visibility_score        REAL,
    derived_mentions        INTEGER,
    derived_citations       INTEGER,
    PRIMARY KEY (run_id, brand_id)
) STRICT, WITHOUT ROWID;

INSERT INTO fact
SELECT run_id, brand_id, mentions, citations, best_citation_position, mention_rank, sentiment, sentiment_justification,
       mention_quality, citation_quality, visibility_score, NULL, NULL
FROM run_brand WHERE basis = 'upstream';

DROP TABLE run_brand;

ALTER TABLE fact RENAME TO run_brand;

CREATE TABLE day_fact (
    id       INTEGER PRIMARY KEY,
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    day      INTEGER NOT NULL,
    cells    BLOB NOT NULL,
    UNIQUE (brand_id, day)
) STRICT;

INSERT INTO day_fact (id, brand_id, day, cells) SELECT id, brand_id, day, cells FROM day_brand WHERE basis = 'upstream';

DROP TABLE day_brand;

ALTER TABLE day_fact RENAME TO day_brand;

ALTER TABLE run ADD COLUMN detected INTEGER;

ALTER TABLE run ADD COLUMN citations_derived INTEGER NOT NULL DEFAULT 0;

ALTER TABLE project ADD COLUMN roster TEXT;

-- How a spelling counts: in any letter case, exactly as it stands, or not at all. The next sync fills it.
CREATE TABLE spelling (
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    text     TEXT NOT NULL,
    counts   TEXT NOT NULL,
    PRIMARY KEY (brand_id, text, counts)
) STRICT, WITHOUT ROWID;

INSERT INTO spelling (brand_id, text, counts) SELECT brand_id, alias, 'alias' FROM brand_alias;

DROP TABLE brand_alias;

ALTER TABLE spelling RENAME TO brand_spelling;
