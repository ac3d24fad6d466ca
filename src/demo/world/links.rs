//! Which pages an answer cites: sites of brands, and pages that a prompt's answers share.

use super::{cast::WorldBrand, place};
use crate::demo::rng::Dice;
use std::fmt::Write as _;

/// A link that an answer is going to have.
pub(super) struct Planned<'w> {
    pub(super) url: String,
    pub(super) brand: Option<usize>,
    pub(super) label: &'w str,
}

/// Where links can point.
pub(super) struct Web<'w> {
    pub(super) brands: &'w [WorldBrand],
    pub(super) hosts: &'w [String],
    pub(super) slugs: &'w [&'static str],
    /// Says which sites are the usual ones for this prompt.
    pub(super) prompt_seed: u64,
    pub(super) tracking: Option<&'static str>,
}

/// Sites that answers to one prompt keep coming back to.
const USUAL_SITES: usize = 6;
/// What a link is called in an answer.
const LABELS: &[&str] = &["source", "review", "test report", "product page", "guide", "überblick", "forum thread"];

/// So many links. A page may come twice, and a page of a brand that the answer does not name may be among them.
pub(super) fn plan<'w>(web: &Web<'w>, named: &[usize], count: usize, dice: &mut Dice) -> Vec<Planned<'w>> {
    let mut links: Vec<Planned<'w>> = Vec::with_capacity(count);
    for _ in 0..count {
        let again =
            if dice.below(100) < 8 { dice.pick(&links).map(|l| (l.url.clone(), l.brand, l.label)) } else { None };
        let link = if let Some((mut url, brand, label)) = again {
            // The same page, sometimes at another passage.
            if !url.contains('#') && dice.below(3) == 0 {
                url.push_str("#:~:text=in%20short");
            }
            Planned { url, brand, label }
        } else if dice.below(100) < 35 {
            own_site(web, named, dice)
        } else {
            other_site(web, dice)
        };
        links.push(link);
    }
    links
}

fn own_site<'w>(web: &Web<'w>, named: &[usize], dice: &mut Dice) -> Planned<'w> {
    let brand = match dice.pick(named) {
        Some(brand) if dice.below(10) < 8 => *brand,
        _ => dice.below(web.brands.len()),
    };
    let domain = web.brands.get(brand).map_or("", |b| b.domain.as_str());
    let mut url = String::with_capacity(96);
    let prefix = dice.phrase(&["", "www.", "www.", "shop.", "help.", "blog."]);
    let _ = write!(url, "https://{prefix}{domain}/");
    match dice.below(4) {
        0 => {}
        1 => {
            let _ = write!(url, "products/{}", 100 + dice.skewed(40));
        }
        _ => url.push_str(dice.phrase(web.slugs)),
    }
    track(&mut url, web.tracking, dice);
    Planned { url, brand: Some(brand), label: dice.phrase(LABELS) }
}

fn other_site<'w>(web: &Web<'w>, dice: &mut Dice) -> Planned<'w> {
    let host = if dice.below(10) < 6 {
        Dice::at(web.prompt_seed, &[place(dice.skewed(USUAL_SITES))]).skewed(web.hosts.len())
    } else {
        dice.skewed(web.hosts.len())
    };
    let mut url = String::with_capacity(96);
    let host = web.hosts.get(host).map_or("example.example", String::as_str);
    let _ = write!(url, "https://{}{host}/", if dice.below(3) == 0 { "www." } else { "" });
    let slug = dice.phrase(web.slugs);
    let _ = match dice.below(6) {
        0 => write!(url, "{slug}"),
        1 => write!(url, "2026/{:02}/{slug}.html", 1 + dice.below(12)),
        // A brand's name in a path is no mention.
        2 => write!(url, "{slug}/{}-review", dice.pick(web.brands).map_or("", WorldBrand::slug)),
        3 => write!(url, "t/{slug}/{}", dice.skewed(5_000)),
        4 => write!(url, "{slug}/pr%C3%BCfung?id={}", dice.below(900)),
        _ => write!(url, "{slug}/"),
    };
    track(&mut url, web.tracking, dice);
    if dice.below(20) == 0 {
        url.push_str("#:~:text=what%20to%20look%20for");
    }
    Planned { url, brand: None, label: dice.phrase(LABELS) }
}

/// Adds the tracking parameters that the engine, or the page it copied the URL from, puts there.
fn track(url: &mut String, source: Option<&str>, dice: &mut Dice) {
    let mark = if url.contains('?') { '&' } else { '?' };
    let _ = match source {
        Some(source) if dice.below(10) < 8 => write!(url, "{mark}utm_source={source}"),
        None if dice.below(25) == 0 => write!(url, "{mark}utm_source=newsletter&utm_medium=email"),
        _ => return,
    };
}
