//! How far the tracker's facts and those read off the text agree about a brand.

use super::{Table, cell};
use crate::{
    analysis::fraction,
    mcp::{ToolError, quote::QuotedLine},
    model::{Brand, DayRange, ProjectKey},
    store::Reader,
};

/// The agreement about these brands over some days. None where nothing was looked for by both.
pub(crate) fn agreement(
    reader: &Reader,
    project: &ProjectKey,
    brands: &[Brand],
    days: DayRange,
) -> Result<Option<Table>, ToolError> {
    let mut table = Table::new(["brand", "fact", "runs", "agreement", "upstream_only", "derived_only"]);
    for brand in brands {
        let found = reader.agreement(project, &brand.key, days)?;
        for (fact, runs, upstream_only, derived_only) in [
            ("mentioned", found.mention_runs, found.mentions_upstream_only, found.mentions_derived_only),
            ("cited", found.citation_runs, found.citations_upstream_only, found.citations_derived_only),
        ] {
            if runs == 0 {
                continue;
            }
            table.rows.push(vec![
                QuotedLine::new(&brand.name, 120).as_str().into(),
                fact.into(),
                runs.into(),
                cell(fraction(runs - upstream_only - derived_only, runs)),
                upstream_only.into(),
                derived_only.into(),
            ]);
        }
    }
    Ok((!table.rows.is_empty()).then_some(table))
}
