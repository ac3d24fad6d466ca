-- Version 10: indexes by which a list reads its window alone, however much is older or newer.
DROP INDEX run_by_day;

CREATE INDEX run_by_day ON run (project_id, day, created_at);

CREATE INDEX run_by_prompt_day ON run (prompt_id, day);
