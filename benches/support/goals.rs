//! The table: a goal, what was measured, and whether it holds.

use std::process::ExitCode;

/// What a program has found so far.
#[derive(Default)]
pub struct Goals {
    rows: Vec<[String; 5]>,
    wrong: Vec<String>,
}

impl Goals {
    /// A measure that must not be above its bound.
    pub fn at_most(&mut self, goal: &str, what: &str, value: f64, bound: f64, unit: &str) {
        self.row(goal, what, value, &format!("<= {}", shown(bound, unit)), unit, Some(value <= bound));
    }

    /// A measure that must not be below its bound.
    pub fn at_least(&mut self, goal: &str, what: &str, value: f64, bound: f64, unit: &str) {
        self.row(goal, what, value, &format!(">= {}", shown(bound, unit)), unit, Some(value >= bound));
    }

    /// A measure without a goal, to read the others by.
    pub fn note(&mut self, goal: &str, what: &str, value: f64, unit: &str) {
        self.row(goal, what, value, "", unit, None);
    }

    fn row(&mut self, goal: &str, what: &str, value: f64, bound: &str, unit: &str, holds: Option<bool>) {
        let verdict = holds.map_or("", |holds| if holds { "holds" } else { "misses" });
        let row = [goal, what, &shown(value, unit), bound, verdict].map(str::to_owned);
        eprintln!("  {}", row.join(" | "));
        self.rows.push(row);
    }

    /// An answer that must be right on the very data that is timed: the only thing that a run fails on.
    pub fn oracle(&mut self, what: &str, checked: Result<usize, String>) {
        match checked {
            Ok(count) => {
                let row = ["oracle", what, &format!("{count} compared"), "equal", "holds"].map(str::to_owned);
                eprintln!("  {}", row.join(" | "));
                self.rows.push(row);
            }
            Err(difference) => self.wrong.push(format!("{what}: {difference}")),
        }
    }

    /// Prints the table.
    pub fn finish(self) -> ExitCode {
        println!("| goal | what | measured | bound | verdict |\n|---|---|---|---|---|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
        for wrong in &self.wrong {
            println!("WRONG ANSWER: {wrong}");
        }
        if self.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// A number with three digits that count.
fn shown(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let space = if unit == "x" || unit.is_empty() { "" } else { " " };
    format!("{value:.digits$}{space}{unit}")
}
