//! Where each figure comes from, as data: its formula, its interval, and the fields of each upstream behind it.

/// The origin of one figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The figure, as [`Definition`](super::Definition) names it.
    pub metric: &'static str,
    /// How its number is made.
    pub formula: &'static str,
    /// How its interval is made.
    pub interval: &'static str,
    /// Fields of Lumar, and the same figure as it publishes it.
    pub lumar: &'static str,
    /// The same of Verseodin.
    pub verseodin: &'static str,
    /// The same of Lunary.
    pub lunary: &'static str,
    /// The facts that it rests on where trackers and texts can be compared: `mentioned`, `cited`.
    pub facts: &'static [&'static str],
}

/// The origin of a figure, by its name in answers.
#[must_use]
pub fn origin(metric: &str) -> Option<&'static Origin> {
    ORIGINS.iter().find(|origin| origin.metric == metric)
}

const RATE: &str = "95 %, Wilson at the effective sample size that the variance between prompts gives, believed less the \
                    fewer prompts have hits, with Student's t; of one prompt alone: Wilson over its runs";
const MEAN: &str = "95 %, Student's t at the linearised variance between prompts; absent where they show no spread";
const PAIRED: &str = "95 %, Student's t at the linearised variance between prompts of the paired differences";
const NO_INTERVAL: &str = "none";
const OFF_TEXT: &str = "no field; read off the answer's text, with the brands of the configuration";
const OFF_TEXT_HERE: &str = "no field; read off the answer's text";
const FROM_RUNS: &str = "no field; computed from the runs";
const NOWHERE: &str = "no field; absent";

const ORIGINS: &[Origin] = &[
    Origin {
        metric: "presence_rate",
        formula: "runs with mentions > 0 or citations > 0 / runs checked for both",
        interval: RATE,
        lumar: "totalBrandMentions, totalBrandCitations of each run; published as avgPresenceRate, in per cent",
        verseodin: "my_brand_mentions_count, my_domain_citations_count; of competitors competitor_citations, their \
                    mentions read off response_text",
        lunary: OFF_TEXT,
        facts: &["mentioned", "cited"],
    },
    Origin {
        metric: "mention_rate",
        formula: "runs with mentions > 0 / runs checked for mentions",
        interval: RATE,
        lumar: "totalBrandMentions of each run",
        verseodin: "my_brand_mentions_count; of competitors read off response_text; published over prompts as \
                    ai_coverage_over_time and ai_coverage_pct, in per cent",
        lunary: OFF_TEXT,
        facts: &["mentioned"],
    },
    Origin {
        metric: "citation_rate",
        formula: "runs with citations > 0 / runs checked for citations",
        interval: RATE,
        lumar: "totalBrandCitations of each run",
        verseodin: "my_domain_citations_count, else my_citations; of competitors competitor_citations; published over \
                    prompts as geo_coverage_pct, in per cent",
        lunary: OFF_TEXT,
        facts: &["cited"],
    },
    Origin {
        metric: "mention_share_of_voice",
        formula: "sum of the brand's mentions / sum of mentions of all tracked brands, both of one basis",
        interval: RATE,
        lumar: "totalBrandMentions of every tracked brand; published as mentionShareOfVoice, in per cent",
        verseodin: "read off response_text for all brands, since only the own brand's mentions are counted; published \
                    as share_of_voice, in per cent",
        lunary: OFF_TEXT,
        facts: &["mentioned"],
    },
    Origin {
        metric: "citation_share_of_voice",
        formula: "sum of the brand's citations / sum of citations of all tracked brands, both of one basis",
        interval: RATE,
        lumar: "totalBrandCitations of every tracked brand; published as citationShareOfVoice, in per cent",
        verseodin: "my_domain_citations_count, competitor_citations",
        lunary: OFF_TEXT,
        facts: &["cited"],
    },
    Origin {
        metric: "avg_citation_position",
        formula: "sum of the places of the brand's first citation / runs that have one",
        interval: MEAN,
        lumar: "bestBrandPosition of each run; published as avgBrandPosition",
        verseodin: "place of the first of my_citations or competitor_citations in appeared_links_unique",
        lunary: OFF_TEXT,
        facts: &["cited"],
    },
    Origin {
        metric: "avg_mention_rank",
        formula: "sum of the brand's places among the brands named / runs that name it",
        interval: MEAN,
        lumar: OFF_TEXT_HERE,
        verseodin: "no field; read off response_text. ai_avg_trust_position is another figure: a rank by number of \
                    mentions",
        lunary: OFF_TEXT,
        facts: &["mentioned"],
    },
    Origin {
        metric: "avg_sentiment",
        formula: "sum of sentiments / runs that have one",
        interval: MEAN,
        lumar: "avgBrandSentiment of each run",
        verseodin: NOWHERE,
        lunary: NOWHERE,
        facts: &[],
    },
    Origin {
        metric: "visibility_score",
        formula: "0.25 x citation quality x sqrt(citation_rate) + 0.75 x mention quality x sqrt(mention_rate)",
        interval: NO_INTERVAL,
        lumar: "brandMentionQualityScore, citationQualityScore; published as avgVisibilityIndex, whose former name is \
                avgVisibilityScore",
        verseodin: "no field; absent. ai_visibility_index is another thing: a list of prompts",
        lunary: NOWHERE,
        facts: &[],
    },
    Origin {
        metric: "quality_score",
        formula: "0.75 x mention quality + 0.25 x citation quality; where there is one of them, that alone",
        interval: NO_INTERVAL,
        lumar: "brandMentionQualityScore, citationQualityScore; published as avgQualityScore",
        verseodin: NOWHERE,
        lunary: NOWHERE,
        facts: &[],
    },
    Origin {
        metric: "change",
        formula: "sum of w x (now - before) / sum of w over cells; w = n1 x n2 / (n1 + n2) for n1 and n2 runs",
        interval: PAIRED,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &[],
    },
    Origin {
        metric: "verdict",
        formula: "up: low > 0; down: high < 0; too_little_data by its bounds; else within_noise",
        interval: PAIRED,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &[],
    },
    Origin {
        metric: "flip_rate",
        formula: "pairs whose presence differs / pairs",
        interval: RATE,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &["mentioned", "cited"],
    },
    Origin {
        metric: "brand_list_overlap",
        formula: "mean over pairs of brands in both / brands in either (Jaccard)",
        interval: NO_INTERVAL,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &[],
    },
    Origin {
        metric: "consistency",
        formula: "runs with the domain or URL among their citations / runs",
        interval: RATE,
        lumar: "the citations of all brands in the run's details",
        verseodin: "the citations of each row",
        lunary: OFF_TEXT_HERE,
        facts: &[],
    },
    Origin {
        metric: "influence",
        formula: "consistency x distinct prompts with a run that cites it",
        interval: NO_INTERVAL,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &[],
    },
    Origin {
        metric: "gap_rate",
        formula: "runs without a mention or citation of the brand and with one of a rival / runs checked for the brand",
        interval: RATE,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &["mentioned", "cited"],
    },
    Origin {
        metric: "interval",
        formula: "n = p x (1 - p) / variance, at most the runs; then Wilson at n with the t of the prompts less one",
        interval: RATE,
        lumar: FROM_RUNS,
        verseodin: FROM_RUNS,
        lunary: FROM_RUNS,
        facts: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::DEFINITIONS;

    #[test]
    fn every_definition_has_its_origin_and_every_origin_its_definition() {
        let defined: Vec<&str> = DEFINITIONS.iter().map(|definition| definition.name).collect();
        for name in &defined {
            assert!(origin(name).is_some(), "say in origins.rs where {name} comes from");
        }
        for origin in ORIGINS {
            assert!(defined.contains(&origin.metric), "define {} in definitions.rs", origin.metric);
            for words in [origin.formula, origin.interval, origin.lumar, origin.verseodin, origin.lunary] {
                assert!((4..=220).contains(&words.len()) && !words.contains("  "), "{}: {words}", origin.metric);
            }
        }
        assert_eq!(ORIGINS.len(), defined.len());
    }
}
