//! The rows that a list is asked for.

use super::{
    auth::Access,
    faults::Fault,
    filters::Filters,
    list::{self, Listed},
    paging::{Order, Paging},
    problem::Problem,
    state::State,
    tracker::Project,
};

/// What a list was asked for, and what of it is sent.
pub(super) struct Asked {
    pub(super) filters: Filters,
    pub(super) paging: Paging,
    pub(super) rows: Vec<Listed>,
}

/// The rows of a page; `all` of them from its offset on, if wanted.
pub(super) fn select(
    state: &mut State,
    access: Access,
    query: &str,
    faults: &[Fault],
    all: bool,
) -> Result<Asked, Problem> {
    let cap = faults.iter().find_map(|fault| if let Fault::LimitCapped(limit) = fault { Some(*limit) } else { None });
    let filters = Filters::read(query, faults.contains(&Fault::FiltersIgnored))?;
    let order = Order::read(query)?;
    let paging = Paging::read(query, cap)?;
    let window = (paging.offset, if all { usize::MAX } else { paging.rows });
    let rows = access.project.map(|project| list::list(state, project, &filters, order, window)).unwrap_or_default();
    Ok(Asked { filters, paging, rows })
}

/// The id of a project, by its place.
pub(super) fn id_of(projects: &[Project], place: usize) -> String {
    projects.get(place).map(|project| project.id.clone()).unwrap_or_default()
}
