//! `list_brands`: the roster of each project.

use super::support::{AsOf, Bound, PAGE_COST, Table, Target, anchor, as_of, projects_named, quoted, read, short_name};
use crate::{
    mcp::{
        Tool, ToolCx, ToolError,
        params::{Cursor, Limit, ProjectName, ResponseFormat},
        quote::{QuotedFields, QuotedLine, cost},
    },
    model::DayRange,
    store::{BrandRow, Reach, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct ListBrands;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// Projects with brands on this page
    projects: Vec<Roster>,
    /// Brands of all projects asked about
    total: usize,
    /// Give it as cursor for the next page; absent at the end
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Roster {
    project: QuotedLine,
    source: String,
    brands_known: usize,
    /// Brands that the tracker no longer lists
    gone_brands: usize,
    brands: Table,
}

/// A project and its brands that are listed.
struct Listed {
    target: Target,
    rows: Vec<BrandRow>,
    gone: usize,
}

impl Tool for ListBrands {
    const NAME: &'static str = "list_brands";
    const TITLE: &'static str = "List brands";
    const PAGE: &'static str = include_str!("list_brands.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    let detailed = params.response_format.is_detailed();
    let targets = projects_named(cx, reader, params.project.as_ref())?;
    let listed = targets.into_iter().map(|target| listed(reader, target, detailed)).collect::<Result<Vec<_>, _>>()?;
    // Project by project, and nothing in between: a page may begin and end within one.
    let all: Vec<(&Listed, &BrandRow)> =
        listed.iter().flat_map(|project| project.rows.iter().map(move |row| (project, row))).collect();
    let keys: Vec<String> = listed.iter().map(|project| format!("{:?}", project.target.row.key)).collect();
    let bound = Bound::to(&format!("{keys:?} {detailed}"));
    let start = match bound.read(params.cursor.as_ref())?.as_deref() {
        None => 0,
        Some([last]) => {
            let place = all.iter().position(|(project, row)| name_of(project, row) == *last);
            place.ok_or_else(Cursor::refused)? + 1
        }
        Some(_) => return Err(Cursor::refused()),
    };

    let mut caveats = Vec::new();
    let mut projects: Vec<Roster> = Vec::new();
    let mut shown: Vec<Target> = Vec::new();
    let mut spent = 0;
    let mut end = start;
    for (project, row) in all.iter().skip(start).take(params.limit.get()) {
        let cells = cells(row, detailed);
        spent += cells.iter().map(|value| cost(&value.to_string())).sum::<usize>();
        if spent > PAGE_COST && end > start {
            caveats.push("the page ends early, so that it fits; follow next_cursor for the rest".to_owned());
            break;
        }
        end += 1;
        if shown.last().is_none_or(|last| last.row.key != project.target.row.key) {
            shown.push(project.target.clone());
            projects.push(Roster {
                project: QuotedLine::new(&project.target.name, 120),
                source: project.target.row.key.source.to_string(),
                brands_known: project.rows.len() + if detailed { 0 } else { project.gone },
                gone_brands: project.gone,
                brands: Table::new(columns(detailed)),
            });
        }
        if let Some(roster) = projects.last_mut() {
            roster.brands.rows.push(cells);
        }
    }
    let bare: Vec<String> =
        listed.iter().filter(|project| project.rows.is_empty()).take(8).map(|one| one.target.name.clone()).collect();
    if start == 0 && !bare.is_empty() {
        caveats.push(format!("no brand is tracked in {}; brands can be added in the configuration", bare.join(", ")));
    }
    let reaches: Vec<Reach> =
        shown.iter().map(|target| reader.reach(&target.row.key, cx.now())).collect::<Result<_, _>>()?;
    let days = DayRange::ending(anchor(cx, &reaches), 30);
    Ok(Answer {
        quoted_fields: QuotedFields(&[
            "project", "brand", "domains", "aliases", "exact", "excluded", "brand_id", "caveats",
        ]),
        projects,
        total: all.len(),
        next_cursor: all
            .get(end.saturating_sub(1))
            .filter(|_| end < all.len())
            .map(|(project, row)| bound.write(&[name_of(project, row)])),
        as_of: as_of(cx, reader, &shown, days, &mut caveats)?,
        caveats,
    })
}

/// The brands of a project; those that are gone in detail alone.
fn listed(reader: &Reader, target: Target, detailed: bool) -> Result<Listed, ToolError> {
    let mut rows = reader.brands(&target.row.key)?;
    let gone = rows.iter().filter(|row| row.gone).count();
    rows.retain(|row| detailed || !row.gone);
    Ok(Listed { target, rows, gone })
}

/// What the cursor calls a brand.
fn name_of(project: &Listed, row: &BrandRow) -> String {
    short_name(&format!("{:?} {:?}", project.target.row.key, row.brand.key))
}

fn columns(detailed: bool) -> Vec<&'static str> {
    let mut columns = vec!["brand", "kind", "domains", "domains_known", "aliases", "aliases_known"];
    if detailed {
        columns.extend(["exact", "excluded", "brand_id", "gone"]);
    }
    columns
}

fn cells(row: &BrandRow, detailed: bool) -> Vec<Value> {
    let brand = &row.brand;
    let some = |texts: &[String]| -> Value {
        let most = if detailed { 100 } else { 4 };
        texts.iter().take(most).map(|text| quoted(text, 80)).collect()
    };
    let mut cells = vec![
        quoted(&brand.name, 80),
        brand.kind.as_str().into(),
        some(&brand.domains),
        brand.domains.len().into(),
        some(&brand.aliases),
        brand.aliases.len().into(),
    ];
    if detailed {
        cells.extend([some(&brand.exact), some(&brand.excluded), quoted(&brand.key.0, 120), row.gone.into()]);
    }
    cells
}
