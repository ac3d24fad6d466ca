//! Long texts: zstd with a trained dictionary, which is kept in the database and named by each row.

use super::{Result, error::Context as _};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::HashMap;
use zstd::bulk::{Compressor, Decompressor};

// Level 9 saves 4 % for twice the time.
const LEVEL: i32 = 3;
const DICTIONARY_BYTES: usize = 110 << 10;
// Training wants some hundred samples, and some twenty times the dictionary in bytes. More changes little, and takes
// longer than a page of runs does.
const SAMPLES: usize = 400;
const SAMPLED_BYTES: usize = 20 * DICTIONARY_BYTES;

/// The two kinds of long text, each with a dictionary of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Answer,
    Record,
}

impl Kind {
    fn table(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Record => "record",
        }
    }
}

/// Compressors and decompressors of one connection.
#[derive(Default)]
pub(super) struct Texts {
    writers: HashMap<Kind, (Option<i64>, Compressor<'static>)>,
    readers: HashMap<Option<i64>, Decompressor<'static>>,
}

impl Texts {
    pub(super) fn save(&mut self, tx: &Connection, kind: Kind, run: i64, text: &str) -> Result<()> {
        if let std::collections::hash_map::Entry::Vacant(e) = self.writers.entry(kind) {
            let writer = Self::writer(tx, kind)?;
            e.insert(writer);
        }
        let (dictionary, body) = match self.writers.get_mut(&kind) {
            Some((dictionary, writer)) => (*dictionary, writer.compress(text.as_bytes())),
            None => (None, zstd::bulk::compress(text.as_bytes(), LEVEL)),
        };
        let body = body.map_err(|_| super::Error::Value("a text could not be compressed"))?;
        let sql = match kind {
            Kind::Answer => "INSERT OR REPLACE INTO answer (run_id, dictionary_id, size, body) VALUES (?1, ?2, ?3, ?4)",
            Kind::Record => "INSERT OR REPLACE INTO record (run_id, dictionary_id, size, body) VALUES (?1, ?2, ?3, ?4)",
        };
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        tx.prepare_cached(sql)?.execute((run, dictionary, size, body)).context("save text")?;
        Ok(())
    }

    /// Trains a dictionary once there are texts enough to learn from and none was trained yet.
    pub(super) fn train(&mut self, tx: &Connection, kind: Kind) -> Result<()> {
        if self.writers.get(&kind).is_some_and(|(dictionary, _)| dictionary.is_some()) || newest(tx, kind)?.is_some() {
            return Ok(());
        }
        let sql = format!("SELECT dictionary_id, size, body FROM {}", kind.table());
        let mut statement = tx.prepare(&sql)?;
        let mut rows = statement.query(())?;
        let mut samples: Vec<String> = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            if samples.len() >= SAMPLES && bytes >= SAMPLED_BYTES {
                break;
            }
            let (dictionary, size, body): (Option<i64>, usize, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            samples.push(self.read(tx, dictionary, size, &body)?);
            bytes += size;
        }
        if samples.len() < SAMPLES {
            return Ok(());
        }
        // Texts too alike or too short can't be learnt from; then the rows stay as they are.
        if let Ok(data) = zstd::dict::from_samples(&samples, DICTIONARY_BYTES) {
            tx.execute("INSERT INTO dictionary (kind, data) VALUES (?1, ?2)", (kind.table(), data))?;
            self.writers.remove(&kind);
        }
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        tx: &Connection,
        dictionary: Option<i64>,
        size: usize,
        body: &[u8],
    ) -> Result<String> {
        if let std::collections::hash_map::Entry::Vacant(e) = self.readers.entry(dictionary) {
            let data = match dictionary {
                None => Vec::new(),
                Some(id) => tx.query_row("SELECT data FROM dictionary WHERE id = ?1", [id], |row| row.get(0))?,
            };
            let reader = Decompressor::with_dictionary(&data).map_err(|_| super::Error::Value("a dictionary"))?;
            e.insert(reader);
        }
        let reader = self.readers.get_mut(&dictionary).ok_or(super::Error::Value("a dictionary"))?;
        let text = reader.decompress(body, size).map_err(|_| super::Error::Value("a compressed text"))?;
        String::from_utf8(text).map_err(|_| super::Error::Value("a text that is not UTF-8"))
    }

    pub(super) fn load(&mut self, connection: &Connection, kind: Kind, run: i64) -> Result<Option<String>> {
        let sql = match kind {
            Kind::Answer => "SELECT dictionary_id, size, body FROM answer WHERE run_id = ?1",
            Kind::Record => "SELECT dictionary_id, size, body FROM record WHERE run_id = ?1",
        };
        let mut statement = connection.prepare_cached(sql)?;
        let found: Option<(Option<i64>, usize, Vec<u8>)> = statement
            .query_row([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .context("load text")?;
        found.map(|(dictionary, size, body)| self.read(connection, dictionary, size, &body)).transpose()
    }

    fn writer(tx: &Connection, kind: Kind) -> Result<(Option<i64>, Compressor<'static>)> {
        let dictionary = newest(tx, kind)?;
        let data = dictionary.as_ref().map_or(&[][..], |(_, data)| data);
        let writer = Compressor::with_dictionary(LEVEL, data).map_err(|_| super::Error::Value("a dictionary"))?;
        Ok((dictionary.map(|(id, _)| id), writer))
    }
}

fn newest(tx: &Connection, kind: Kind) -> Result<Option<(i64, Vec<u8>)>> {
    tx.prepare_cached("SELECT id, data FROM dictionary WHERE kind = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([kind.table()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .context("newest dictionary")
}
