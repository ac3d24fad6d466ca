//! What must hold of every page that is read off an upstream's body, whatever is in it.

use visibility_mcp::{
    model::{Brand, BrandKey, BrandKind, ProjectRecord},
    upstream::{Drift, Page, Rejected},
};

/// A body is read in pieces that bytes of this value part.
pub const PART: u8 = 0x1e;

/// Two texts and what is left of the bytes; none where they are no texts.
pub fn parts(data: &[u8]) -> Option<[&str; 3]> {
    let mut parts = std::str::from_utf8(data).ok()?.splitn(3, char::from(PART));
    Some([(); 3].map(|()| parts.next().unwrap_or_default()))
}

/// A project with an own brand and a rival.
pub fn project() -> ProjectRecord {
    let brand = |key: &str, name: &str, kind| Brand {
        key: BrandKey(key.to_owned()),
        name: name.to_owned(),
        kind,
        domains: vec![format!("{key}.example")],
        aliases: vec![],
        exact: vec![],
        excluded: vec![],
    };
    ProjectRecord {
        key: "p1".to_owned(),
        account: Some("a1".to_owned()),
        name: "Acme".to_owned(),
        website: None,
        brands: vec![brand("acme", "Acme", BrandKind::Own), brand("umbra", "Umbra", BrandKind::Competitor)],
        latest_day: None,
        raw: "{}".to_owned(),
    }
}

/// What is kept of a page is bounded by what came, and what is said of it is in our words.
pub fn check_page(page: &Page, bytes: usize) {
    for run in &page.runs {
        assert!(!run.key.is_empty() && !run.engine.is_empty(), "{run:?}");
        assert!(!run.raw.is_empty() && run.raw.len() <= 4 * bytes + 1_024, "{} of {bytes} bytes", run.raw.len());
        assert!(run.answer.as_ref().is_none_or(|answer| answer.len() <= 4 * bytes), "a longer answer than came");
        let numbers = run
            .facts
            .iter()
            .flat_map(|fact| [fact.sentiment, fact.mention_quality, fact.citation_quality, fact.visibility_score]);
        assert!(numbers.flatten().chain(run.cost_usd).all(f64::is_finite), "{run:?}");
    }
    // A row takes two bytes of a body at least.
    assert!(page.runs.len() + page.rejected.len() <= bytes + 1);
    let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    assert!(page.published.iter().all(|figure| is_json(&figure.value)), "{:?}", page.published);
    check_rejected(&page.rejected);
    check_drift(&page.drift);
}

pub fn check_rejected(rejected: &[Rejected]) {
    for row in rejected {
        assert!(row.raw.len() <= 4_096 && (1..=200).contains(&row.reason.chars().count()), "{row:?}");
        super::assert_shown(&row.reason);
    }
}

pub fn check_drift(drift: &[Drift]) {
    for drift in drift {
        // What is passed on of it is cleaned once more.
        assert!(drift.field.chars().count() <= 64 && !drift.field.contains(char::is_control), "{drift:?}");
    }
}

/// A project is named, and so are its brands.
pub fn check_project(project: &ProjectRecord) {
    assert!(!project.key.is_empty(), "{project:?}");
    for brand in &project.brands {
        assert!(!brand.key.0.is_empty() && !brand.name.trim().is_empty(), "{brand:?}");
        assert!(brand.domains.iter().all(|domain| !domain.is_empty()), "{brand:?}");
    }
}
