-- The whole schema of the cache, as it is now: for reading, and the measure of the migrations, which build it.
-- A test proves that migrating from the first version ends in exactly this.

-- One configured account at one upstream. Its name comes from the configuration.
CREATE TABLE source (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    upstream TEXT NOT NULL
) STRICT;

-- A monitored brand workspace inside a source, by the upstream's own id. raw: the upstream's record, zstd.
-- gone_at: when a complete discovery no longer listed it. roster: the brands as the upstream has them, JSON, before the
-- configuration adds to them. Instants are milliseconds since 1970, UTC.
CREATE TABLE project (
    id         INTEGER PRIMARY KEY,
    source_id  INTEGER NOT NULL REFERENCES source (id),
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    website    TEXT,
    raw        BLOB NOT NULL,
    seen_at    INTEGER NOT NULL,
    gone_at    INTEGER,
    roster     TEXT,
    UNIQUE (source_id, key)
) STRICT;

-- A brand of a project. kind: own, competitor or other.
CREATE TABLE brand (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    gone_at    INTEGER,
    UNIQUE (project_id, key)
) STRICT;

-- Hosts that are a brand's own, themselves and everything below them.
CREATE TABLE brand_domain (
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    domain   TEXT NOT NULL,
    PRIMARY KEY (brand_id, domain)
) STRICT, WITHOUT ROWID;

-- Spellings of a brand beside its name. counts: alias; exact, which counts only in this letter case; excluded, a phrase
-- that holds a spelling and means something else.
CREATE TABLE brand_spelling (
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    text     TEXT NOT NULL,
    counts   TEXT NOT NULL,
    PRIMARY KEY (brand_id, text, counts)
) STRICT, WITHOUT ROWID;

-- Names that occur in every run, as small integers. The first four statuses have fixed ids.
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

-- Registrable domains, and URLs as given. A URL is found by the hash of its text.
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

-- A question. public_id: hash of source, project and key, as people see it. label: what the tracker's screens call
-- it. branded: it names a brand that is tracked in its project.
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

-- Which brands a run was checked for, and by whom: 0 nobody, 1 the upstream, 2 this program off the text. Most runs of a
-- project share a few scopes. members: the canonical text of the set. share_*: by whom all members were checked, so that
-- shares of voice can be computed: of one basis only, since two cannot be added up.
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

-- One prompt, one engine, one moment. key: what the upstream knows it by. day: days since 1970, UTC. answer_hash and
-- raw_hash: xxh3; an unchanged raw_hash means that nothing is written. gone_at: when a complete reading of its slices no
-- longer held it. detected: the stamp of the detection that read its answer. citations_derived: they were read off the
-- answer, since the upstream gives none.
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
    gone_at         INTEGER,
    key             TEXT,
    detected        INTEGER,
    citations_derived INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX run_by_time ON run (project_id, created_at);
CREATE INDEX run_by_day ON run (project_id, day, created_at);
CREATE INDEX run_by_prompt ON run (prompt_id, created_at);
CREATE INDEX run_by_prompt_day ON run (prompt_id, day);

-- What is known of a brand in a run. A brand that was checked and does not appear has no row here: its scope says that
-- it was checked, and by whom. mentions, citations and what hangs on them are the upstream's where it checked them, else
-- read off the text; derived_* are what was read off the text in any case. A null says that it was not checked.
CREATE TABLE run_brand (
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

-- Cited URLs in order of first appearance.
CREATE TABLE citation (
    run_id   INTEGER NOT NULL REFERENCES run (id),
    position INTEGER NOT NULL,
    url_id   INTEGER NOT NULL REFERENCES url (id),
    brand_id INTEGER REFERENCES brand (id),
    quality  REAL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

-- Trained zstd dictionaries for answers and for records.
CREATE TABLE dictionary (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    data BLOB NOT NULL
) STRICT;

-- Answers, once each; size: bytes of the text. Compressed with the dictionary named, or without.
CREATE TABLE answer (
    run_id        INTEGER PRIMARY KEY REFERENCES run (id),
    dictionary_id INTEGER REFERENCES dictionary (id),
    size          INTEGER NOT NULL,
    body          BLOB NOT NULL
) STRICT;

-- The upstream's record as JSON text, with the answer's value replaced by null, compressed likewise.
CREATE TABLE record (
    run_id        INTEGER PRIMARY KEY REFERENCES run (id),
    dictionary_id INTEGER REFERENCES dictionary (id),
    size          INTEGER NOT NULL,
    body          BLOB NOT NULL
) STRICT;

-- What a run looked like before a sync changed it. facts: JSON rows of brand key, mentions, citations, best citation
-- position, sentiment.
CREATE TABLE run_history (
    id          INTEGER PRIMARY KEY,
    run_id      INTEGER NOT NULL REFERENCES run (id),
    replaced_at INTEGER NOT NULL,
    status      TEXT NOT NULL,
    answer_hash INTEGER,
    facts       TEXT NOT NULL
) STRICT;

CREATE INDEX run_history_by_run ON run_history (run_id);

-- Full-text indexes: rowid is the run's or the prompt's id; the text itself is not in them.
CREATE VIRTUAL TABLE answer_fts USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

INSERT INTO answer_fts (answer_fts, rank) VALUES ('automerge', 8);

CREATE VIRTUAL TABLE prompt_fts USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

-- Figures that an upstream computed itself, as JSON values. engine: empty where the figure is for all of them. brand:
-- its key; empty where it is the project's own, or all of them in one value.
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

-- Published figures of a brand beside the same computed from the cached rows, written with the day's rollups.
CREATE TABLE recheck (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    brand      TEXT NOT NULL,
    metric     TEXT NOT NULL,
    published  REAL NOT NULL,
    computed   REAL NOT NULL,
    PRIMARY KEY (project_id, day, brand, metric)
) STRICT, WITHOUT ROWID;

-- The unit that is fetched, resumed and declared complete on its own. cursor: where an unfinished reading goes on.
-- pass: counts the readings. shifted: a run came twice in one reading, so rows moved between its pages.
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
    first_day    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project_id, key)
) STRICT;

CREATE INDEX slice_by_day ON slice (project_id, last_day, first_day, completed_at);

-- Which runs a slice held, and in which reading last.
CREATE TABLE slice_run (
    slice_id INTEGER NOT NULL REFERENCES slice (id),
    run_id   INTEGER NOT NULL REFERENCES run (id),
    pass     INTEGER NOT NULL,
    PRIMARY KEY (slice_id, run_id)
) STRICT, WITHOUT ROWID;

-- Who syncs a source now. The file lock beside the cache says whether a holder is alive; this says so to readers.
CREATE TABLE lease (
    source_id  INTEGER PRIMARY KEY REFERENCES source (id),
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- The log of syncs.
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

-- Rows that could not be understood, bounded, each kept once, by the hash of its text.
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

-- Where a source's answers differ from what its API documents.
CREATE TABLE drift (
    source_id INTEGER NOT NULL REFERENCES source (id),
    record    TEXT NOT NULL,
    field     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (source_id, record, field, kind)
) STRICT, WITHOUT ROWID;

-- Daily rollups: packed cells (see packed.rs), rebuilt whole for touched days. Per project and day: finished runs by
-- prompt, engine and scope, with the totals of all brands.
CREATE TABLE day_base (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    cells      BLOB NOT NULL,
    UNIQUE (project_id, day)
) STRICT;

-- Per brand and day: the cells in which the brand appears.
CREATE TABLE day_brand (
    id       INTEGER PRIMARY KEY,
    brand_id INTEGER NOT NULL REFERENCES brand (id),
    day      INTEGER NOT NULL,
    cells    BLOB NOT NULL,
    UNIQUE (brand_id, day)
) STRICT;

-- Per project and day: cited domains by engine.
CREATE TABLE day_domain (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    cells      BLOB NOT NULL,
    UNIQUE (project_id, day)
) STRICT;

-- Per project and day: cited domains by prompt and engine, with the runs where the own brand is absent beside a
-- competitor, and those where it is present.
CREATE TABLE day_source (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    cells      BLOB NOT NULL,
    UNIQUE (project_id, day)
) STRICT;

-- Days whose rollups are behind their rows; readers count those days from the rows.
CREATE TABLE dirty_day (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT, WITHOUT ROWID;

-- Per project and day: runs by engine and status.
CREATE TABLE day_count (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    engine_id  INTEGER NOT NULL REFERENCES engine (id),
    status_id  INTEGER NOT NULL REFERENCES status (id),
    runs       INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, engine_id, status_id)
) STRICT, WITHOUT ROWID;

-- Per project and day: between which rows its runs lie; runs of other days may lie there too.
CREATE TABLE day_rows (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    low        INTEGER NOT NULL,
    high       INTEGER NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT, WITHOUT ROWID;

-- Per project and day: finished runs by engine and model, where the model is known.
CREATE TABLE day_model (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day        INTEGER NOT NULL,
    engine_id  INTEGER NOT NULL REFERENCES engine (id),
    model_id   INTEGER NOT NULL REFERENCES model (id),
    runs       INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, engine_id, model_id)
) STRICT, WITHOUT ROWID;
