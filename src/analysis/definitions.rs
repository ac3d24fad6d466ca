//! What each figure means, as data: the words that people and models are given.

/// One figure, defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Its name in answers.
    pub name: &'static str,
    /// What it is, in one line.
    pub definition: &'static str,
    /// What it is out of.
    pub denominator: &'static str,
    /// What its number is in.
    pub unit: &'static str,
}

/// The definition of a figure, by its name in answers.
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

const fn define(
    name: &'static str,
    definition: &'static str,
    denominator: &'static str,
    unit: &'static str,
) -> Definition {
    Definition { name, definition, denominator, unit }
}

const FRACTION: &str = "fraction, 0 to 1";

/// Every figure, in the order in which a person would read them. Failed, pending and unchecked runs are in none.
pub const DEFINITIONS: &[Definition] = &[
    define(
        "presence_rate",
        "finished runs that name the brand or cite one of its domains / finished runs checked for both",
        "finished runs checked for mentions and for citations",
        FRACTION,
    ),
    define(
        "mention_rate",
        "finished runs whose answer names the brand / finished runs checked for mentions",
        "finished runs checked for mentions",
        FRACTION,
    ),
    define(
        "citation_rate",
        "finished runs that cite one of the brand's domains / finished runs checked for citations",
        "finished runs checked for citations",
        FRACTION,
    ),
    define(
        "mention_share_of_voice",
        "the brand's mentions / mentions of all tracked brands, over runs where every tracked brand was checked",
        "mentions of all tracked brands",
        FRACTION,
    ),
    define(
        "citation_share_of_voice",
        "the brand's citations / citations of all tracked brands, over runs where every tracked brand was checked",
        "citations attributed to any tracked brand",
        FRACTION,
    ),
    define(
        "avg_citation_position",
        "mean place of the brand's first citation among the answer's citations, 1 is first; lower is better",
        "runs that cite the brand and give the place",
        "place, from 1",
    ),
    define(
        "avg_mention_rank",
        "mean place of the brand among all brands named, by first appearance, 1 is first; lower is better",
        "runs that name the brand and give the place",
        "place, from 1",
    ),
    define(
        "avg_sentiment",
        "mean sentiment of the brand's mentions as the upstream scores it; absent where no upstream does",
        "runs that the upstream scored",
        "the upstream's own scale",
    ),
    define(
        "visibility_score",
        "0.25 x citation quality x sqrt(citation_rate) + 0.75 x mention quality x sqrt(mention_rate); Lumar's \
         avgVisibilityIndex, formerly avgVisibilityScore",
        "finished runs checked, in projects that give quality scores",
        "score, 0 to 100",
    ),
    define(
        "quality_score",
        "75 % mean mention quality and 25 % mean citation quality; where there is one of them, that alone; Lumar's \
         avgQualityScore",
        "mentions and citations of the brand, in projects that give quality scores",
        "score, 0 to 100",
    ),
    define(
        "change",
        "value now minus value in the window of equal length just before, over prompt x engine cells seen in both, \
         each cell weighing n1 x n2 / (n1 + n2) on either side; up or down only if its 95 % interval leaves out 0",
        "prompt x engine cells with runs in both windows",
        "difference of the figure",
    ),
    define(
        "verdict",
        "up or down: the interval of the change leaves out 0; too_little_data: under 6 shared prompts or 10 shared \
         runs a side, or blind even to a change of 0.5; within_noise: all else, see smallest_detectable (80 % power)",
        "prompts with runs on both sides",
        "word",
    ),
    define(
        "flip_rate",
        "consecutive finished runs of one prompt on one engine whose presence differs / all such pairs",
        "pairs of consecutive finished runs",
        FRACTION,
    ),
    define(
        "brand_list_overlap",
        "tracked brands present in both of two consecutive finished runs of one prompt on one engine / those present \
         in either; the mean over such pairs",
        "pairs of consecutive finished runs checked for mentions and citations of all their brands, with one in either",
        FRACTION,
    ),
    define(
        "consistency",
        "finished runs that cite a domain or URL / all finished runs in scope",
        "finished runs in scope",
        FRACTION,
    ),
    define(
        "influence",
        "consistency of a domain or URL x distinct prompts with a run that cites it",
        "finished runs in scope",
        "prompts, weighed",
    ),
    define(
        "gap_rate",
        "finished runs where the brand was looked for and is absent and a rival is present / finished runs where the \
         brand was looked for; rivals of the own brand are the competitors, of another all other tracked brands",
        "finished runs checked for mentions and for citations",
        FRACTION,
    ),
    define(
        "interval",
        "low to high hold the true value in 95 of 100 cases; prompts, not runs, are the sample: jackknife variance by \
         prompt, believed less the fewer prompts have hits, Wilson at the effective sample size, Student's t",
        "prompts",
        "as the figure",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_defined_once_in_one_line() {
        for definition in DEFINITIONS {
            assert_eq!(super::definition(definition.name), Some(definition), "{}", definition.name);
            assert!(definition.definition.len() < 260 && !definition.definition.contains('\n'), "{}", definition.name);
        }
        assert_eq!(definition("vibes"), None);
    }
}
