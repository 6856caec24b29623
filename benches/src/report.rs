//! What benches have in common: which rows are wanted, turns of all contenders, and tables in Markdown.

/// The rows that are wanted: all, or those that the words of the command line name, whole or up to a slash.
pub struct Selection(Vec<String>);

impl Selection {
    pub fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (*word).to_owned()).collect())
    }

    pub fn has(&self, row: &str) -> bool {
        let is_named = |word: &String| {
            row.strip_prefix(word.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.is_empty() || self.0.iter().any(is_named)
    }

    /// Whether any of these is.
    pub fn has_any(&self, mut rows: impl Iterator<Item = String>) -> bool {
        rows.any(|row| self.has(&row))
    }
}

/// What each of some contenders took in each round of turns, in seconds or whatever unit is the same for all.
pub struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    pub fn new(contenders: usize) -> Self {
        Self(vec![Vec::new(); contenders])
    }

    pub fn add(&mut self, contender: usize, took: f64) {
        self.0[contender].push(took);
    }

    pub fn best(&self, contender: usize) -> f64 {
        self.0[contender].iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn median(&self, contender: usize) -> f64 {
        median(self.0[contender].clone())
    }

    /// How many times as fast as another a contender is: the median of the rounds, in each of which both had a turn.
    pub fn times_as_fast(&self, contender: usize, other: usize) -> f64 {
        median(
            self.0[contender].iter().zip(&self.0[other]).map(|(own, other)| other / own).collect(),
        )
    }
}

/// NaN for no numbers.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A table in Markdown, printed row by row. The last column is the command that measures the row, or the row and what it
/// is compared with.
pub struct Table {
    program: &'static str,
}

impl Table {
    pub fn begin(program: &'static str, title: &str, columns: &[&str]) -> Self {
        println!("\n### {title}\n");
        println!("| {:54} | {} | command |", "", columns.join(" | "));
        println!("|---|{}---|", "--:|".repeat(columns.len()));
        Self { program }
    }

    /// A row; `command` is what follows the name of the program, and may be empty.
    pub fn row(&self, title: &str, cells: &[String], command: &str) {
        let command = format!("{} {command}", self.program);
        println!("| {title:54} | {} | `{}` |", cells.join(" | "), command.trim_end());
    }
}

/// A ratio as a cell.
pub fn times(ratio: f64, other: &str) -> String {
    format!("{ratio:.2} × {other}")
}

/// A number of things in a second, as a cell: 4.53 M.
pub fn rate(a_second: f64) -> String {
    match a_second {
        large if large >= 1e6 => format!("{:.2} M", large / 1e6),
        middle if middle >= 1e4 => format!("{:.0} k", middle / 1e3),
        small => format!("{small:.0}"),
    }
}
