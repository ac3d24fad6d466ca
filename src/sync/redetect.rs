//! Reading brands off the cached answers again, without the network: after brands or their spellings have changed.

use super::detection::{AddedBrands, Detection};
use crate::{
    analysis::recompute,
    clock::Clock,
    model::ProjectKey,
    store::{self, Detect as _, Redetection, Store, Writer},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// So many answers are read in one transaction: some milliseconds, so that a sync beside it need not wait.
const STEP: usize = 200;

/// How far the answers of one project have come.
#[derive(Clone, Debug)]
pub struct RedetectProgress {
    /// The project.
    pub project: ProjectKey,
    /// Its name.
    pub name: String,
    /// Answers to read.
    pub total: u64,
    /// Answers read, and runs of which other facts are stored now.
    pub runs: u64,
    /// Of these, runs of which other facts are stored now.
    pub changed: u64,
}

/// Reads the answers of every cached project that were read with other brands than those of today: the upstream's as
/// last synced, and what `added` adds. Cut off anywhere, the next pass goes on.
///
/// # Errors
/// Where the cache can't be read or written.
pub async fn redetect(
    store: &Store,
    added: &AddedBrands,
    (clock, cancel): (&Clock, &CancellationToken),
    on_progress: &(dyn Fn(&RedetectProgress) + Send + Sync),
) -> Result<Vec<RedetectProgress>, store::Error> {
    let writer = store.writer()?;
    let mut all = Vec::new();
    for row in store.reader()?.projects()? {
        let reader = store.reader()?;
        let roster = match reader.roster(&row.key)? {
            Some(roster) => roster,
            // Last synced before rosters were kept.
            None => reader.brands(&row.key)?.into_iter().filter(|row| !row.gone).map(|row| row.brand).collect(),
        };
        let added = added.get(&row.key.source).map_or(&[][..], Vec::as_slice);
        let detection = Arc::new(Detection::of(&roster, added));
        let (project, detect, now) = (row.key.clone(), Arc::clone(&detection), clock.now());
        writer.write(move |w| w.save_brands(&project, &detect.brands, &*detect, now)).await?;
        let total = reader.undetected(&row.key, detection.stamp())?;
        let mut progress = RedetectProgress { project: row.key.clone(), name: row.name, total, runs: 0, changed: 0 };
        on_progress(&progress);
        let read = |so_far: &Redetection| {
            (progress.runs, progress.changed) = (so_far.runs, so_far.changed);
            on_progress(&progress);
        };
        redetect_project(&writer, &row.key, &detection, cancel, read).await?;
        all.push(progress);
        if cancel.is_cancelled() {
            break;
        }
    }
    writer.checkpoint().await?;
    Ok(all)
}

/// Reads the answers of one project, and brings its rollups up to date.
pub(super) async fn redetect_project(
    writer: &Writer,
    project: &ProjectKey,
    detection: &Arc<Detection>,
    cancel: &CancellationToken,
    mut on_step: impl FnMut(&Redetection),
) -> Result<Redetection, store::Error> {
    let mut so_far = Redetection::default();
    while !so_far.is_done && !cancel.is_cancelled() {
        let (key, detect) = (project.clone(), Arc::clone(detection));
        so_far = writer.write(move |w| w.redetect(&key, &*detect, so_far, STEP)).await?;
        on_step(&so_far);
    }
    if so_far.changed > 0 {
        let key = project.clone();
        writer.write(move |w| w.refresh_rollups(&key, &recompute)).await?;
    }
    Ok(so_far)
}
