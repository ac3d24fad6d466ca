//! The words of the domain as types: sources, projects, brands, prompts, runs. No I/O, no clock.

mod brand;
mod cell;
mod day;
mod id;
mod project;
mod run;

pub use brand::{Brand, BrandKey, BrandKind, host_of, registrable_domain};
pub use cell::{Cell, CitedCell, EngineRef, ModelRuns, PromptRef, Recheck, ScoreParts};
pub use day::{Day, DayRange, InvalidDay};
pub use id::{InvalidId, PromptId, RunId};
pub use project::{ProjectKey, ProjectRecord, Published, SourceName, UpstreamKind};
pub use run::{Basis, BrandFact, CitationRecord, PromptRecord, RunRecord, Status, Surface};
