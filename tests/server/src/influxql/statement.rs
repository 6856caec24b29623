//! Statements, once they are read.

use super::condition::Condition;

#[derive(Debug, PartialEq)]
pub(super) enum Statement {
    Select(Select),
    Show(Show),
}

#[derive(Debug, PartialEq)]
pub(super) struct Select {
    pub(super) columns: Vec<Selected>,
    pub(super) from: String,
    pub(super) condition: Option<Condition>,
    /// `GROUP BY time(…)`.
    pub(super) bins: Option<Bins>,
    pub(super) tags: Tags,
    pub(super) fill: Fill,
    pub(super) descending: bool,
    pub(super) range: RowRange,
}

/// One item between `SELECT` and `FROM`.
#[derive(Debug, PartialEq)]
pub(super) struct Selected {
    pub(super) what: What,
    pub(super) alias: Option<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum What {
    /// `*`
    All,
    Column(String),
    Call(Function, Argument),
}

#[derive(Debug, PartialEq)]
pub(super) enum Argument {
    /// `*`: every field that fits.
    All,
    Field(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    First,
    Last,
    Max,
    Mean,
    Min,
    Spread,
    Stddev,
    Sum,
}

impl Function {
    const ALL: [Function; 9] = [
        Function::Count,
        Function::First,
        Function::Last,
        Function::Max,
        Function::Mean,
        Function::Min,
        Function::Spread,
        Function::Stddev,
        Function::Sum,
    ];

    pub(super) fn parse(name: &str) -> Option<Function> {
        Function::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// The name, which is that of the column as well.
    pub(super) fn name(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::First => "first",
            Function::Last => "last",
            Function::Max => "max",
            Function::Mean => "mean",
            Function::Min => "min",
            Function::Spread => "spread",
            Function::Stddev => "stddev",
            Function::Sum => "sum",
        }
    }

    /// Whether it picks one row: as the only function, its answer has the time of that row.
    pub(super) fn is_selector(self) -> bool {
        matches!(self, Function::First | Function::Last | Function::Max | Function::Min)
    }

    /// Whether it takes numbers only.
    pub(super) fn needs_numbers(self) -> bool {
        !matches!(self, Function::Count | Function::First | Function::Last)
    }
}

/// Equal spans of time, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bins {
    pub(super) width: i64,
    /// Where a span begins, counted from the epoch.
    pub(super) offset: i64,
}

impl Bins {
    /// The beginning of the span that a moment is in; saturates at the end of time.
    pub(super) fn start_of(self, time: i64) -> i64 {
        let past = (i128::from(time) - i128::from(self.offset)).rem_euclid(self.width.into());
        i64::try_from(i128::from(time) - past).unwrap_or(i64::MIN)
    }
}

/// The tags of a `GROUP BY`.
#[derive(Debug, PartialEq)]
pub(super) enum Tags {
    All,
    Named(Vec<String>),
}

/// What stands where a span of time has no rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fill {
    /// Nothing; such a span is left out.
    None,
    Null,
    Previous,
    Number(f64),
}

/// `LIMIT` and `OFFSET`, which count in each series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RowRange {
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

impl RowRange {
    /// The part of `rows` that is kept.
    pub(super) fn of(self, rows: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let start = rows.end.min(rows.start.saturating_add(self.offset));
        let end = self.limit.map_or(rows.end, |limit| rows.end.min(start.saturating_add(limit)));
        start..end
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Show {
    pub(super) what: Shown,
    /// Without any, all measurements.
    pub(super) from: Vec<String>,
    pub(super) range: RowRange,
}

#[derive(Debug, PartialEq)]
pub(super) enum Shown {
    Measurements,
    FieldKeys,
    TagKeys,
    TagValues { keys: Vec<String>, condition: Option<Condition> },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_begin_at_their_offset_before_the_epoch_too() {
        let bins = Bins { width: 10, offset: 3 };
        for (time, start) in
            [(3, 3), (12, 3), (13, 13), (2, -7), (-8, -17), (i64::MAX, i64::MAX - 4)]
        {
            assert_eq!(bins.start_of(time), start, "{time}");
        }
        assert_eq!(bins.start_of(i64::MIN), i64::MIN);
    }

    #[test]
    fn limits_never_leave_their_rows() {
        let range = |limit, offset| RowRange { limit, offset }.of(10..15);
        assert_eq!(range(None, 0), 10..15);
        assert_eq!(range(Some(2), 1), 11..13);
        assert_eq!(range(Some(9), 3), 13..15);
        assert_eq!(range(Some(usize::MAX), usize::MAX), 15..15);
    }
}
