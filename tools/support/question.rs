//! What a question about figures is about: projects, the brand in each, days, and what narrows it.

use super::{
    AsOf, Target, anchor, as_of, brand_named, here, no_brand, projects_named, prompt_named, with_engine, with_topic,
};
use crate::{
    analysis::Figures,
    mcp::{
        ToolCx, ToolError,
        params::{BrandName, EngineName, Period, ProjectName, PromptName, TopicName},
        quote::{QuotedLine, line},
    },
    model::{Brand, Cell, DayRange, PromptId},
    store::{CellQuery, Reach, Reader},
};
use serde::Serialize;

/// The arguments that name it; what a tool does not have stays as it is by default.
#[derive(Clone, Copy, Default)]
pub(crate) struct Names<'a> {
    pub project: Option<&'a ProjectName>,
    pub brand: Option<&'a BrandName>,
    pub engine: Option<&'a EngineName>,
    pub topic: Option<&'a TopicName>,
    pub prompt: Option<&'a PromptName>,
    pub period: Period,
    pub include_branded: bool,
}

/// One project and the brand in it.
pub(crate) struct Asked {
    pub target: Target,
    pub brand: Brand,
    /// All brands of the project, this one too.
    pub brands: Vec<Brand>,
    pub reach: Reach,
}

impl Asked {
    /// The project as answers name it.
    pub(crate) fn project(&self) -> QuotedLine {
        QuotedLine::new(&self.target.name, 120)
    }
}

/// A question, its names found in the cache.
pub(crate) struct Question {
    /// Side by side, never to be added up: one per project that has the brand.
    pub asked: Vec<Asked>,
    /// One window for all, so that what stands side by side is of the same days.
    pub days: DayRange,
    pub engine: Option<String>,
    pub topic: Option<String>,
    pub prompt: Option<PromptId>,
    pub include_branded: bool,
}

impl Question {
    /// Finds the names in the cache. Of more than `most` projects the first are taken, and a caveat names others.
    pub(crate) fn find(
        cx: &ToolCx<'_>,
        reader: &Reader,
        names: &Names<'_>,
        most: usize,
        caveats: &mut Vec<String>,
    ) -> Result<Self, ToolError> {
        let mut targets = projects_named(cx, reader, names.project)?;
        let prompt = names.prompt.map(|prompt| prompt_named(reader, &targets, prompt)).transpose()?;
        if let Some(prompt) = prompt {
            targets = with_prompt(reader, targets, prompt)?;
        }
        // Of several projects those without it have nothing to say, and no runs to list.
        if let Some(engine) = names.engine {
            targets = with_engine(cx, reader, &targets, engine)?;
        }
        if let Some(topic) = names.topic {
            targets = with_topic(reader, &targets, topic)?;
        }
        let mut asked = asked(cx, reader, targets, names)?;
        if asked.len() > most {
            let rest = asked.iter().skip(most).take(8).map(|one| line(&one.target.name, 120));
            let rest: Vec<String> = rest.collect();
            caveats.push(format!(
                "{most} of {} projects are shown; name another with project, such as {}",
                asked.len(),
                rest.join(", ")
            ));
            asked.truncate(most);
        }
        let reaches: Vec<Reach> = asked.iter().map(|one| one.reach).collect();
        Ok(Self {
            days: names.period.days(anchor(cx, &reaches)),
            asked,
            engine: names.engine.map(|engine| engine.as_str().to_lowercase()),
            topic: names.topic.map(|topic| topic.as_str().to_owned()),
            prompt,
            include_branded: names.include_branded,
        })
    }

    /// The cells that one project's figures come from.
    pub(crate) fn query<'a>(&'a self, one: &'a Asked) -> CellQuery<'a> {
        CellQuery {
            engine: self.engine.as_deref(),
            topic: self.topic.as_deref(),
            prompt: self.prompt,
            include_branded: self.include_branded,
            ..CellQuery::new(&one.target.row.key, &one.brand.key, self.days)
        }
    }

    /// The figures of some cells; of a question about one prompt, with its runs as the sample.
    pub(crate) fn figures(&self, cells: &[Cell]) -> Figures {
        if self.prompt.is_some() { Figures::of_one_prompt(cells) } else { Figures::of(cells) }
    }

    /// The arguments of `list_prompt_runs` that give the runs behind one project's figures.
    pub(crate) fn runs_filter(&self, one: &Asked) -> RunsFilter {
        RunsFilter {
            project: one.project(),
            brand: QuotedLine::new(&one.brand.name, 120),
            period: self.days.to_string(),
            status: "finished",
            include_branded: self.include_branded,
            engine: self.engine.clone(),
            topic: self.topic.as_ref().map(|topic| QuotedLine::new(topic, 200)),
            prompt_id: self.prompt.map(|prompt| prompt.to_string()),
            domain: None,
            gap: None,
            basket: None,
        }
    }

    /// Says so where a project has no finished run in the window.
    pub(crate) fn note_if_empty(&self, one: &Asked, runs: u64, caveats: &mut Vec<String>) {
        if runs == 0 {
            let reach = one.reach.days.map_or_else(|| "nothing".to_owned(), |days| days.to_string());
            let (project, days) = (one.project(), self.days);
            caveats.push(format!("{}: no finished run in {days}; the cache holds {reach}", project.as_str()));
        }
    }

    /// How fresh and whole the data of the window is.
    pub(crate) fn as_of(
        &self,
        cx: &ToolCx<'_>,
        reader: &Reader,
        caveats: &mut Vec<String>,
    ) -> Result<Vec<AsOf>, ToolError> {
        for one in &self.asked {
            let (project, first) = (one.project(), one.reach.days.map(|days| days.first));
            if let Some(first) = first.filter(|first| self.days.first < *first && *first <= self.days.last) {
                caveats.push(format!("{}: of this period the cache holds the days from {first} on", project.as_str()));
            }
        }
        let targets: Vec<Target> = self.asked.iter().map(|one| one.target.clone()).collect();
        as_of(cx, reader, &targets, self.days, caveats)
    }
}

/// Arguments for `list_prompt_runs` that give the runs counted beside it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunsFilter {
    pub project: QuotedLine,
    pub brand: QuotedLine,
    pub period: String,
    pub status: &'static str,
    pub include_branded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<QuotedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basket: Option<String>,
}

super::open::open_object!(RunsFilter);

/// The projects that have this prompt: one, since a prompt's id belongs to its project.
fn with_prompt(reader: &Reader, targets: Vec<Target>, prompt: PromptId) -> Result<Vec<Target>, ToolError> {
    let mut kept = Vec::new();
    for target in targets {
        if !reader.find_prompts(&target.row.key, &prompt.to_string())?.is_empty() {
            kept.push(target);
        }
    }
    Ok(kept)
}

/// The projects that have the brand asked for.
fn asked(cx: &ToolCx<'_>, reader: &Reader, targets: Vec<Target>, names: &Names<'_>) -> Result<Vec<Asked>, ToolError> {
    let mut asked = Vec::new();
    let mut others = Vec::new();
    for target in targets {
        let brands: Vec<Brand> = reader.brands(&target.row.key)?.into_iter().map(|row| row.brand).collect();
        match brand_named(&brands, names.brand) {
            Some(brand) => {
                let reach = reader.reach(&target.row.key, cx.now())?;
                asked.push(Asked { target, brand, brands, reach });
            }
            None => others.extend(brands.into_iter().map(|brand| brand.name)),
        }
    }
    if asked.is_empty() {
        return Err(match names.brand {
            Some(name) => no_brand(name, others.iter().map(String::as_str)),
            None if others.is_empty() => ToolError::invalid(
                "no brand is known here, so there are no figures of one",
                "add brands to this source in the configuration and run `visibility-mcp redetect`; list_prompt_runs, \
                 get_run_details and search_answers need none",
            ),
            None => ToolError::invalid(
                "this project has no own brand",
                here("brands", others.iter().map(String::as_str), "name one with brand; list_brands has them all"),
            ),
        });
    }
    Ok(asked)
}
