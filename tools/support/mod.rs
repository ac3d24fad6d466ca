//! What several tools share: names to rows, freshness, tables. A tool stays one page because this is here.

mod agreement;
mod as_of;
mod basis;
mod basket;
mod bookmark;
mod bound;
mod cited;
mod disagreement;
mod metric;
mod model_change;
mod moved;
mod open;
mod question;
mod ranked;
mod recheck;
mod scope;
mod table;

pub(super) use agreement::agreement;
pub(super) use as_of::{AsOf, as_of};
pub(super) use basis::Sourced;
pub(super) use basket::{BasketName, alike, each_bucket};
pub(super) use bookmark::Bookmark;
pub(super) use bound::{Bound, short_name};
pub(super) use cited::{domain_named, domains_of_kind, kind_beside, owner_of};
pub(super) use disagreement::note_disagreements;
pub(super) use metric::Metric;
pub(super) use model_change::note_model_changes;
pub(super) use moved::Moved;
pub(super) use question::{Asked, Names, Question, RunsFilter};
pub(super) use ranked::{Pages, rows_a_page};
pub(super) use recheck::rechecked;
pub(super) use scope::{
    Target, all_projects, anchor, brand_named, here, no_brand, no_source, projects_named, prompt_named, read,
    with_engine, with_topic,
};
pub(super) use table::{PAGE_COST, Table, any_rows, cell, quoted, quoted_or_null};
