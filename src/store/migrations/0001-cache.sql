-- Version 1: sources, projects, runs and what is known of them, full-text indexes, and the state of the sync.
CREATE TABLE source (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    upstream TEXT NOT NULL
) STRICT;

CREATE TABLE project (
    id         INTEGER PRIMARY KEY,
    source_id  INTEGER NOT NULL REFERENCES source (id),
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    website    TEXT,
    raw        BLOB NOT NULL,
    seen_at    INTEGER NOT NULL,
    gone_at    INTEGER,
    UNIQUE (source_id, key)
) STRICT;

CREATE TABLE brand (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    gone_at    INTEGER,
    UNIQUE (project_id, key)
) STRICT;

CREATE TABLE brand_domain (
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    domain   TEXT NOT NULL,
    PRIMARY KEY (brand_id, domain)
) STRICT, WITHOUT ROWID;

CREATE TABLE brand_alias (
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    alias    TEXT NOT NULL,
    PRIMARY KEY (brand_id, alias)
) STRICT, WITHOUT ROWID;

CREATE TABLE engine (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE model (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE status (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO status (id, name) VALUES (1, 'pending'), (2, 'running'), (3, 'finished'), (4, 'failed');

CREATE TABLE domain (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE url (
    id        INTEGER PRIMARY KEY,
    hash      INTEGER NOT NULL UNIQUE,
    url       TEXT NOT NULL,
    domain_id INTEGER REFERENCES domain (id)
) STRICT;

CREATE TABLE prompt (
    id         INTEGER PRIMARY KEY,
    public_id  INTEGER NOT NULL UNIQUE,
    project_id INTEGER NOT NULL REFERENCES project (id),
    text       TEXT NOT NULL,
    topic      TEXT,
    label      TEXT,
    branded    INTEGER NOT NULL
) STRICT;

CREATE INDEX prompt_by_project ON prompt (project_id, branded);

CREATE TABLE scope (
    id              INTEGER PRIMARY KEY,
    project_id      INTEGER NOT NULL REFERENCES project (id),
    members         TEXT NOT NULL,
    share_mentions  INTEGER NOT NULL,
    share_citations INTEGER NOT NULL,
    UNIQUE (project_id, members)
) STRICT;

CREATE TABLE scope_brand (
    scope_id  INTEGER NOT NULL REFERENCES scope (id),
    brand_id  INTEGER NOT NULL REFERENCES brand (id),
    mentions  INTEGER NOT NULL,
    citations INTEGER NOT NULL,
    PRIMARY KEY (scope_id, brand_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id              INTEGER PRIMARY KEY,
    public_id       INTEGER NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES project (id),
    prompt_id       INTEGER NOT NULL REFERENCES prompt (id),
    engine_id       INTEGER NOT NULL REFERENCES engine (id),
    model_id        INTEGER REFERENCES model (id),
    status_id       INTEGER NOT NULL REFERENCES status (id),
    surface         TEXT NOT NULL,
    day             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    scope_id        INTEGER NOT NULL REFERENCES scope (id),
    total_citations INTEGER,
    web_search      INTEGER,
    cost_usd        REAL,
    failure_reason  TEXT,
    answer_hash     INTEGER,
    raw_hash        INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL,
    gone_at         INTEGER
) STRICT;

CREATE INDEX run_by_time ON run (project_id, created_at);
CREATE INDEX run_by_day ON run (project_id, day);
CREATE INDEX run_by_prompt ON run (prompt_id, created_at);

CREATE TABLE run_brand (
    run_id                  INTEGER NOT NULL REFERENCES run (id),
    brand_id                INTEGER NOT NULL REFERENCES brand (id),
    basis                   TEXT NOT NULL,
    mentions                INTEGER,
    citations               INTEGER,
    best_citation_position  INTEGER,
    mention_rank            INTEGER,
    sentiment               REAL,
    sentiment_justification TEXT,
    mention_quality         REAL,
    citation_quality        REAL,
    visibility_score        REAL,
    PRIMARY KEY (run_id, brand_id, basis)
) STRICT, WITHOUT ROWID;

CREATE TABLE citation (
    run_id   INTEGER NOT NULL REFERENCES run (id),
    position INTEGER NOT NULL,
    url_id   INTEGER NOT NULL REFERENCES url (id),
    brand_id INTEGER REFERENCES brand (id),
    quality  REAL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE dictionary (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE answer (
    run_id        INTEGER PRIMARY KEY REFERENCES run (id),
    dictionary_id INTEGER REFERENCES dictionary (id),
    size          INTEGER NOT NULL,
    body          BLOB NOT NULL
) STRICT;

CREATE TABLE record (
    run_id        INTEGER PRIMARY KEY REFERENCES run (id),
    dictionary_id INTEGER REFERENCES dictionary (id),
    size          INTEGER NOT NULL,
    body          BLOB NOT NULL
) STRICT;

CREATE TABLE run_history (
    id          INTEGER PRIMARY KEY,
    run_id      INTEGER NOT NULL REFERENCES run (id),
    replaced_at INTEGER NOT NULL,
    status      TEXT NOT NULL,
    answer_hash INTEGER,
    facts       TEXT NOT NULL
) STRICT;

CREATE INDEX run_history_by_run ON run_history (run_id);

CREATE VIRTUAL TABLE answer_fts USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE VIRTUAL TABLE prompt_fts USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE published (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    engine     TEXT NOT NULL,
    metric     TEXT NOT NULL,
    value      TEXT NOT NULL,
    UNIQUE (project_id, day, engine, metric)
) STRICT;

CREATE TABLE slice (
    id           INTEGER PRIMARY KEY,
    project_id   INTEGER NOT NULL REFERENCES project (id),
    key          TEXT NOT NULL,
    last_day     INTEGER NOT NULL,
    fingerprint  TEXT,
    cursor       TEXT,
    pages        INTEGER NOT NULL,
    pass         INTEGER NOT NULL,
    shifted      INTEGER NOT NULL,
    completed_at INTEGER,
    open_runs    INTEGER NOT NULL,
    error        TEXT,
    UNIQUE (project_id, key)
) STRICT;

CREATE TABLE slice_run (
    slice_id INTEGER NOT NULL REFERENCES slice (id),
    run_id   INTEGER NOT NULL REFERENCES run (id),
    pass     INTEGER NOT NULL,
    PRIMARY KEY (slice_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    source_id  INTEGER PRIMARY KEY REFERENCES source (id),
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sync_run (
    id          INTEGER PRIMARY KEY,
    source_id   INTEGER NOT NULL REFERENCES source (id),
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    outcome     TEXT,
    pages       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    added       INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    gone        INTEGER NOT NULL,
    rejected    INTEGER NOT NULL,
    error_class TEXT,
    error       TEXT,
    hint        TEXT
) STRICT;

CREATE INDEX sync_run_by_source ON sync_run (source_id, started_at);

CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    source_id  INTEGER NOT NULL REFERENCES source (id),
    place      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    hash       INTEGER NOT NULL,
    raw        TEXT NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    UNIQUE (source_id, hash)
) STRICT;

CREATE TABLE drift (
    source_id INTEGER NOT NULL REFERENCES source (id),
    record    TEXT NOT NULL,
    field     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (source_id, record, field, kind)
) STRICT, WITHOUT ROWID;
