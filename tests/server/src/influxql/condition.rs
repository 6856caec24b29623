//! `WHERE`: what of it is a range of time, and the rest as SQL.

use datafusion::error::Result;

use super::{literal, name, not_here};
use crate::store::{ColumnKind, Columns};

#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    /// The time against nanoseconds.
    Time(Comparison, i64),
    Column(String, Comparison, Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    MatchesNot,
}

impl Comparison {
    pub(super) fn parse(symbol: &str) -> Option<Comparison> {
        Some(match symbol {
            "=" => Comparison::Equal,
            "!=" | "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "=~" => Comparison::Matches,
            "!~" => Comparison::MatchesNot,
            _ => return None,
        })
    }

    fn sql(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Matches => "~",
            Comparison::MatchesNot => "!~",
        }
    }

    /// Whether it asks for the same text, for another one, or for one that matches: all that a tag can be asked.
    fn is_for_text(self) -> bool {
        !matches!(
            self,
            Comparison::Less
                | Comparison::LessOrEqual
                | Comparison::Greater
                | Comparison::GreaterOrEqual
        )
    }
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Regex(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

/// Both ends belong to it; none is the beginning or the end of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) lower: Option<i64>,
    pub(super) upper: Option<i64>,
}

impl TimeRange {
    fn narrow(&mut self, comparison: Comparison, time: i64) -> Result<()> {
        let (lower, upper) = match comparison {
            Comparison::Equal => (Some(time), Some(time)),
            Comparison::Greater => (Some(time.saturating_add(1)), None),
            Comparison::GreaterOrEqual => (Some(time), None),
            Comparison::Less => (None, Some(time.saturating_sub(1))),
            Comparison::LessOrEqual => (None, Some(time)),
            _ => return Err(not_here("conditions on the time but =, <, <=, > and >=")),
        };
        self.lower = self.lower.max(lower);
        self.upper = [self.upper, upper].into_iter().flatten().min();
        Ok(())
    }

    /// As a condition in SQL; none if all times are in it.
    fn sql(self) -> Option<String> {
        let ends = [(">=", self.lower), ("<=", self.upper)];
        let sql: Vec<_> = ends
            .into_iter()
            .filter_map(|(comparison, end)| {
                end.map(|end| format!("time {comparison} to_timestamp_nanos({end})"))
            })
            .collect();
        (!sql.is_empty()).then(|| sql.join(" AND "))
    }
}

/// A condition, taken apart.
#[derive(Debug)]
pub(super) struct Split<'a> {
    pub(super) times: TimeRange,
    rest: Vec<&'a Condition>,
}

impl<'a> Split<'a> {
    /// # Errors
    /// A time is compared below an `OR`.
    pub(super) fn new(condition: Option<&'a Condition>) -> Result<Split<'a>> {
        let mut split = Split { times: TimeRange::default(), rest: Vec::new() };
        condition.map_or(Ok(()), |condition| split.add(condition))?;
        Ok(split)
    }

    fn add(&mut self, condition: &'a Condition) -> Result<()> {
        match condition {
            Condition::And(all) => all.iter().try_for_each(|condition| self.add(condition)),
            Condition::Time(comparison, time) => self.times.narrow(*comparison, *time),
            rest => {
                self.rest.push(rest);
                Ok(())
            }
        }
    }

    /// What a row of the table has to be; `others` are added to it.
    pub(super) fn sql(&self, columns: &Columns, others: Vec<String>) -> Result<String> {
        let mut all = others;
        all.extend(self.times.sql());
        for condition in &self.rest {
            all.push(sql(condition, columns)?);
        }
        Ok(if all.is_empty() { "true".to_owned() } else { all.join(" AND ") })
    }
}

fn sql(condition: &Condition, columns: &Columns) -> Result<String> {
    let join = |all: &[Condition], word: &str| {
        let all: Result<Vec<_>> = all.iter().map(|condition| sql(condition, columns)).collect();
        Ok(format!("({})", all?.join(word)))
    };
    match condition {
        Condition::And(all) => join(all, " AND "),
        Condition::Or(all) => join(all, " OR "),
        Condition::Time(..) => Err(not_here("conditions on the time below an OR")),
        Condition::Column(column, comparison, value) => {
            Ok(compare(columns, column, *comparison, value))
        }
    }
}

/// A tag that a row does not have is compared as the empty text. What cannot be compared is not so, whatever is asked.
fn compare(columns: &Columns, column: &str, comparison: Comparison, value: &Value) -> String {
    use ColumnKind::{Boolean, Float, Integer, Tag, Text, Unsigned};
    let never = || "false".to_owned();
    let Some((_, kind)) = columns.find(column) else {
        return never();
    };
    let matches = matches!(comparison, Comparison::Matches | Comparison::MatchesNot);
    let right = match (kind, value) {
        (Tag | Text, Value::Text(text)) if comparison.is_for_text() && !matches => literal(text),
        (Tag | Text, Value::Regex(regex)) if matches => literal(regex),
        (Float | Integer | Unsigned, Value::Integer(number)) if !matches => number.to_string(),
        (Float | Integer | Unsigned, Value::Number(number)) if !matches => format!("{number:?}"),
        (Boolean, Value::Boolean(boolean)) if comparison.is_for_text() && !matches => {
            boolean.to_string()
        }
        _ => return never(),
    };
    let left = match kind {
        Tag => format!("coalesce({}, '')", text_of(column)),
        _ => name(column),
    };
    format!("{left} {} {right}", comparison.sql())
}

/// A tag as text rather than as a place in a dictionary.
pub(super) fn text_of(tag: &str) -> String {
    format!("arrow_cast({}, 'Utf8')", name(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_joined_by_and_become_one_range() {
        let condition = Condition::And(vec![
            Condition::Time(Comparison::Greater, 10),
            Condition::Time(Comparison::Less, 20),
            Condition::And(vec![Condition::Time(Comparison::LessOrEqual, 15)]),
        ]);
        let split = Split::new(Some(&condition)).unwrap();
        assert_eq!(split.times, TimeRange { lower: Some(11), upper: Some(15) });
        let or = Condition::Or(vec![Condition::Time(Comparison::Equal, 1)]);
        let error = Split::new(Some(&or)).unwrap().sql(&Columns::default(), Vec::new());
        assert!(error.unwrap_err().to_string().contains("below an OR"));
    }

    #[test]
    fn columns_are_compared_with_what_they_hold_and_names_are_quoted() {
        let mut columns = Columns::default();
        columns.add("t\"t", ColumnKind::Tag);
        columns.add("f", ColumnKind::Float);
        let sql = |column, comparison, value| compare(&columns, column, comparison, &value);
        let text = Value::Text("it's".into());
        assert_eq!(
            sql("t\"t", Comparison::NotEqual, text.clone()),
            "coalesce(arrow_cast(\"t\"\"t\", 'Utf8'), '') != 'it''s'"
        );
        assert_eq!(sql("f", Comparison::Less, Value::Number(1.0)), "\"f\" < 1.0");
        for (column, comparison, value) in [
            ("f", Comparison::Equal, text.clone()),
            ("t\"t", Comparison::Less, text.clone()),
            ("none", Comparison::NotEqual, text),
            ("f", Comparison::Matches, Value::Regex("1".into())),
        ] {
            assert_eq!(sql(column, comparison, value), "false", "{column}");
        }
    }
}
