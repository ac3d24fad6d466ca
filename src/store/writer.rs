//! The one writer: a thread that owns the only writing connection and runs closures in transactions, in order.

use super::{Error, Result, error::Context as _, names::Names, open, texts::Texts};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

// Pages of some megabytes wait here: a few hide the network's latency, more would only cost memory.
const QUEUE: usize = 4;

type Job = Box<dyn FnOnce(&mut State) + Send>;

struct State {
    connection: Connection,
    names: Names,
    texts: Texts,
}

/// A handle to the writer thread; the thread ends with its last handle.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

/// A write transaction under way: everything done through it is kept together, or not at all.
pub struct Write<'a> {
    pub(super) tx: &'a Connection,
    pub(super) names: &'a mut Names,
    pub(super) texts: &'a mut Texts,
}

impl Writer {
    pub(super) fn start(path: &Path) -> Result<Self> {
        let mut state =
            State { connection: open::connect_writer(path)?, names: Names::default(), texts: Texts::default() };
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        std::thread::Builder::new()
            .name("cache-writer".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut state);
                }
                // Leave no long WAL behind; if another process reads just now, the next sync does it.
                let _ = state.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
            })
            .map_err(|error| Error::Access(error.to_string()))?;
        Ok(Self { jobs })
    }

    /// Runs `work` in one transaction and commits it when it returns `Ok`.
    ///
    /// # Errors
    /// What `work` returns, in which case nothing is kept, or that the commit failed.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, done) = oneshot::channel();
        let job: Job = Box::new(move |state| {
            // A receiver that went away was cancelled; the work is kept all the same.
            let _ = reply.send(state.run(work));
        });
        self.jobs.send(job).await.map_err(|_| Error::Value("the writer thread has ended"))?;
        done.await.map_err(|_| Error::Value("the writer thread has ended"))?
    }

    /// Empties the write-ahead log into the file, as after a sync.
    ///
    /// # Errors
    /// Where the writer thread has ended.
    pub async fn checkpoint(&self) -> Result<()> {
        let (reply, done) = oneshot::channel();
        let job: Job = Box::new(move |state| {
            // Readers at work make it partial; the next one finishes it.
            let _ = state.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
            let _ = reply.send(());
        });
        self.jobs.send(job).await.map_err(|_| Error::Value("the writer thread has ended"))?;
        done.await.map_err(|_| Error::Value("the writer thread has ended"))
    }
}

impl State {
    fn run<T>(&mut self, work: impl FnOnce(&mut Write<'_>) -> Result<T>) -> Result<T> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).context("begin")?;
        let done = work(&mut Write { tx: &tx, names: &mut self.names, texts: &mut self.texts })
            .and_then(|value| tx.commit().context("commit").map(|()| value));
        if done.is_err() {
            // Ids learnt inside the transaction went with it.
            self.names = Names::default();
            self.texts = Texts::default();
        }
        done
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}
