//! The views that a statement may read: the part of the schema that is promised.

/// A view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What a row is.
    pub row: &'static str,
    /// Its columns, in order.
    pub columns: &'static [&'static str],
    pub(super) sql: &'static str,
}

/// The days of the cache's runs, with their text: a view that has a day as text has it from here, so that a window of days
/// is found by an index and costs nothing for the runs outside it.
pub(super) const CALENDAR: &str = "
    CREATE TEMP TABLE calendar (day INTEGER PRIMARY KEY, text TEXT UNIQUE);
    WITH RECURSIVE seen (project_id, day) AS (
        SELECT p.id, (SELECT min(r.day) FROM main.run r WHERE r.project_id = p.id) FROM main.project p
        UNION ALL
        SELECT s.project_id, (SELECT min(r.day) FROM main.run r WHERE r.project_id = s.project_id AND r.day > s.day)
        FROM seen s WHERE s.day IS NOT NULL)
    INSERT INTO temp.calendar SELECT DISTINCT day, date(day * 86400, 'unixepoch') FROM seen WHERE day IS NOT NULL;
    ANALYZE temp.calendar;";

/// The views. Days are text, `YYYY-MM-DD`; instants are text, RFC 3339 in UTC; yes and no are 1 and 0. `run` is a number
/// that views are joined by: an id is made by a function, which no index knows. A `CROSS JOIN` keeps SQLite from beginning
/// with the small table, and from reading the runs of all days for each of its rows; the `likelihood` tells it that a day
/// is worth looking up, which the sampled statistics of a large project do not.
pub const VIEWS: &[View] = &[
    View {
        name: "projects",
        row: "a project of a source",
        columns: &["source", "upstream", "project", "website"],
        sql: "SELECT s.name AS source, s.upstream AS upstream, p.name AS project, p.website AS website
              FROM main.project p JOIN main.source s ON s.id = p.source_id",
    },
    View {
        name: "brands",
        row: "a brand of a project; kind is own, competitor or other",
        columns: &["source", "project", "brand", "kind"],
        sql: "SELECT s.name AS source, p.name AS project, b.name AS brand, b.kind AS kind
              FROM main.brand b JOIN main.project p ON p.id = b.project_id JOIN main.source s ON s.id = p.source_id
              WHERE b.gone_at IS NULL",
    },
    View {
        name: "prompts",
        row: "a prompt; branded: it names a tracked brand",
        columns: &["prompt_id", "source", "project", "prompt", "topic", "branded"],
        sql: "SELECT prompt_id(q.public_id) AS prompt_id, s.name AS source, p.name AS project, q.text AS prompt,
                     q.topic AS topic, q.branded AS branded
              FROM main.prompt q JOIN main.project p ON p.id = q.project_id JOIN main.source s ON s.id = p.source_id",
    },
    View {
        name: "runs",
        row: "a run; status is pending, running, finished or failed",
        columns: &[
            "run",
            "run_id",
            "source",
            "project",
            "prompt_id",
            "prompt",
            "topic",
            "branded",
            "engine",
            "model",
            "surface",
            "status",
            "day",
            "created_at",
            "finished_at",
            "total_citations",
            "web_search",
            "cost_usd",
            "failure_reason",
        ],
        sql: "SELECT r.id AS run, run_id(r.public_id) AS run_id, s.name AS source, p.name AS project,
                     prompt_id(q.public_id) AS prompt_id, q.text AS prompt, q.topic AS topic, q.branded AS branded,
                     e.name AS engine, m.name AS model, r.surface AS surface, t.name AS status,
                     k.text AS day,
                     strftime('%Y-%m-%dT%H:%M:%SZ', r.created_at / 1000, 'unixepoch') AS created_at,
                     strftime('%Y-%m-%dT%H:%M:%SZ', r.finished_at / 1000, 'unixepoch') AS finished_at,
                     r.total_citations AS total_citations, r.web_search AS web_search, r.cost_usd AS cost_usd,
                     r.failure_reason AS failure_reason
              FROM main.run r JOIN temp.calendar k ON likelihood(k.day = r.day, 0.001) JOIN main.prompt q ON q.id = r.prompt_id
              JOIN main.project p ON p.id = r.project_id JOIN main.source s ON s.id = p.source_id
              CROSS JOIN main.engine e ON e.id = r.engine_id CROSS JOIN main.status t ON t.id = r.status_id
              LEFT JOIN main.model m ON m.id = r.model_id
              WHERE r.gone_at IS NULL",
    },
    View {
        name: "run_brands",
        row: "a run and a brand that it was checked for; null where that half was not checked",
        columns: &[
            "run",
            "brand",
            "kind",
            "mentions",
            "citations",
            "mention_basis",
            "citation_basis",
            "best_citation_position",
            "mention_rank",
            "sentiment",
        ],
        sql: "SELECT r.id AS run, b.name AS brand, b.kind AS kind,
                     CASE WHEN c.mentions THEN coalesce(f.mentions, 0) END AS mentions,
                     CASE WHEN c.citations THEN coalesce(f.citations, 0) END AS citations,
                     CASE c.mentions WHEN 1 THEN 'upstream' WHEN 2 THEN 'derived' END AS mention_basis,
                     CASE c.citations WHEN 1 THEN 'upstream' WHEN 2 THEN 'derived' END AS citation_basis,
                     f.best_citation_position AS best_citation_position, f.mention_rank AS mention_rank,
                     f.sentiment AS sentiment
              FROM main.run r CROSS JOIN main.scope_brand c ON c.scope_id = r.scope_id
              JOIN main.brand b ON b.id = c.brand_id
              LEFT JOIN main.run_brand f ON f.run_id = r.id AND f.brand_id = c.brand_id
              WHERE r.gone_at IS NULL AND r.status_id = 3",
    },
    View {
        name: "citations",
        row: "a cited URL in a run; position 1 is the first; brand: whose it is, where the tracker says so",
        columns: &["run", "position", "url", "domain", "brand"],
        sql: "SELECT r.id AS run, c.position AS position, u.url AS url, d.name AS domain,
                     b.name AS brand
              FROM main.citation c JOIN main.run r ON r.id = c.run_id JOIN main.url u ON u.id = c.url_id
              LEFT JOIN main.domain d ON d.id = u.domain_id LEFT JOIN main.brand b ON b.id = c.brand_id
              WHERE r.gone_at IS NULL",
    },
];
