//! From upstreams to the cache: discover, plan, fetch pages, commit each with its cursor.
