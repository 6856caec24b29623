//! From tokens to statements.

use std::collections::HashMap;

use datafusion::{
    arrow::compute::kernels::cast_utils::string_to_timestamp_nanos, error::DataFusionError,
    error::Result, scalar::ScalarValue,
};

use super::{
    condition::{Comparison, Condition, Value},
    lexer::{Token, invalid, tokens},
    not_here, plan_error,
    statement::{
        Argument, Bins, Fill, Function, RowRange, Select, Selected, Show, Shown, Statement, Tags,
        What,
    },
};
use crate::clock::now_nanos;

/// Reads one statement, which a semicolon may end.
pub(super) fn parse(text: &str, params: &HashMap<String, ScalarValue>) -> Result<Statement> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, params, now: now_nanos() };
    let statement = parser.statement()?;
    while parser.symbol(";") {}
    match parser.peek() {
        None => Ok(statement),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    /// The place of the next token.
    at: usize,
    params: &'a HashMap<String, ScalarValue>,
    now: i64,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Statement> {
        if self.word("SELECT") {
            return self.select().map(Statement::Select);
        }
        if self.word("SHOW") {
            return self.show().map(Statement::Show);
        }
        for (first, second) in [("CREATE", "DATABASE"), ("DROP", "MEASUREMENT"), ("DELETE", "")] {
            if self.word(first) {
                self.word(second);
                let statement = format!("{first} {second}");
                return Err(DataFusionError::NotImplemented(statement.trim().to_owned()));
            }
        }
        if self.word("EXPLAIN") {
            return Err(not_here("EXPLAIN"));
        }
        Err(self.unexpected())
    }

    fn select(&mut self) -> Result<Select> {
        let mut columns = vec![self.selected()?];
        while self.symbol(",") {
            columns.push(self.selected()?);
        }
        if self.word("INTO") {
            return Err(not_here("INTO"));
        }
        self.expect_word("FROM")?;
        let from = self.measurement()?;
        if matches!(self.peek(), Some(Token::Symbol(","))) {
            return Err(not_here("FROM of several measurements"));
        }
        let condition = self.word("WHERE").then(|| self.condition()).transpose()?;
        let (mut bins, mut tags, mut fill) = (None, Tags::Named(Vec::new()), Fill::Null);
        if self.word("GROUP") {
            self.expect_word("BY")?;
            (bins, tags) = self.dimensions()?;
            if self.word("FILL") {
                fill = self.fill()?;
            }
        }
        let descending = self.order()?;
        let range = self.row_range()?;
        for word in ["SLIMIT", "SOFFSET", "TZ"] {
            if self.word(word) {
                return Err(not_here(word));
            }
        }
        Ok(Select { columns, from, condition, bins, tags, fill, descending, range })
    }

    fn selected(&mut self) -> Result<Selected> {
        let what = match self.next() {
            Some(Token::Symbol("*")) => What::All,
            Some(Token::Quoted(name)) => What::Column(name),
            Some(Token::Word(name)) if self.symbol("(") => self.call(&name)?,
            Some(Token::Word(name)) => What::Column(name),
            Some(Token::Regex(_) | Token::Symbol("/")) => {
                return Err(not_here("regular expressions but after =~ and !~"));
            }
            _ => return Err(self.unexpected_before()),
        };
        match self.peek() {
            Some(Token::Symbol("+" | "-" | "*" | "/")) => {
                return Err(not_here("calculations between SELECT and FROM"));
            }
            Some(Token::Symbol("::")) => return Err(not_here("types behind ::")),
            _ => {}
        }
        let alias = self.word("AS").then(|| self.name()).transpose()?;
        Ok(Selected { what, alias })
    }

    fn call(&mut self, name: &str) -> Result<What> {
        let Some(function) = Function::parse(name) else {
            return Err(not_here(format!("function {name}")));
        };
        let argument = match self.next() {
            Some(Token::Symbol("*")) => Argument::All,
            Some(Token::Quoted(field)) => Argument::Field(field),
            Some(Token::Word(field)) => Argument::Field(field),
            _ => return Err(self.unexpected_before()),
        };
        if matches!(self.peek(), Some(Token::Symbol("("))) {
            return Err(not_here("functions of functions"));
        }
        self.expect_symbol(")")?;
        Ok(What::Call(function, argument))
    }

    /// One name; with a database, with a retention policy or by a regular expression there is none.
    fn measurement(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Symbol("(")) => return Err(not_here("queries below queries")),
            Some(Token::Symbol("/") | Token::Regex(_)) => {
                return Err(not_here("regular expressions but after =~ and !~"));
            }
            _ => {}
        }
        let measurement = self.name()?;
        if matches!(self.peek(), Some(Token::Symbol("."))) {
            let what = "database prefix in qualified measurement syntax";
            return Err(DataFusionError::NotImplemented(what.to_owned()));
        }
        Ok(measurement)
    }

    fn dimensions(&mut self) -> Result<(Option<Bins>, Tags)> {
        let (mut bins, mut tags, mut all) = (None, Vec::new(), false);
        loop {
            match self.next() {
                Some(Token::Symbol("*")) => all = true,
                Some(Token::Word(word))
                    if word.eq_ignore_ascii_case("time") && self.symbol("(") =>
                {
                    bins = Some(self.bins()?);
                }
                Some(Token::Word(tag) | Token::Quoted(tag)) => tags.push(tag),
                _ => return Err(self.unexpected_before()),
            }
            if !self.symbol(",") {
                return Ok((bins, if all { Tags::All } else { Tags::Named(tags) }));
            }
        }
    }

    /// What stands behind `time(`.
    fn bins(&mut self) -> Result<Bins> {
        let width = match self.next() {
            Some(Token::Duration(width)) if width > 0 => width,
            _ => return Err(self.unexpected_before()),
        };
        let mut offset = 0;
        if self.symbol(",") {
            let sign = if self.symbol("-") { -1 } else { 1 };
            offset = match self.next() {
                Some(Token::Duration(offset)) => sign * offset,
                _ => return Err(self.unexpected_before()),
            };
        }
        self.expect_symbol(")")?;
        Ok(Bins { width, offset })
    }

    fn fill(&mut self) -> Result<Fill> {
        self.expect_symbol("(")?;
        let negative = self.symbol("-");
        let fill = match self.next() {
            Some(Token::Integer(number)) => Fill::Number(number as f64),
            Some(Token::Number(number)) => Fill::Number(number),
            Some(Token::Word(word)) if !negative => match word.to_ascii_lowercase().as_str() {
                "none" => Fill::None,
                "null" => Fill::Null,
                "previous" => Fill::Previous,
                "linear" => return Err(not_here("FILL(LINEAR)")),
                _ => return Err(self.unexpected_before()),
            },
            _ => return Err(self.unexpected_before()),
        };
        self.expect_symbol(")")?;
        Ok(match fill {
            Fill::Number(number) if negative => Fill::Number(-number),
            fill => fill,
        })
    }

    /// Whether the latest row is first.
    fn order(&mut self) -> Result<bool> {
        if !self.word("ORDER") {
            return Ok(false);
        }
        self.expect_word("BY")?;
        self.expect_word("TIME")?;
        let descending = self.word("DESC");
        if !descending {
            self.word("ASC");
        }
        Ok(descending)
    }

    fn row_range(&mut self) -> Result<RowRange> {
        let limit = self.word("LIMIT").then(|| self.count()).transpose()?;
        let offset = self.word("OFFSET").then(|| self.count()).transpose()?;
        Ok(RowRange { limit, offset: offset.unwrap_or(0) })
    }

    fn count(&mut self) -> Result<usize> {
        match self.value()? {
            Value::Integer(count) => {
                usize::try_from(count).map_err(|_| plan_error("limits cannot be negative"))
            }
            _ => Err(self.unexpected_before()),
        }
    }

    fn show(&mut self) -> Result<Show> {
        if self.word("DATABASES") {
            return Err(DataFusionError::NotImplemented("SHOW DATABASES".to_owned()));
        }
        if self.word("RETENTION") {
            return Err(not_here("SHOW RETENTION POLICIES"));
        }
        let mut what = if self.word("MEASUREMENTS") {
            Shown::Measurements
        } else if self.word("FIELD") {
            self.expect_word("KEYS")?;
            Shown::FieldKeys
        } else {
            self.expect_word("TAG")?;
            match self.word("VALUES") {
                true => Shown::TagValues { keys: Vec::new(), condition: None },
                false => {
                    self.expect_word("KEYS")?;
                    Shown::TagKeys
                }
            }
        };
        if self.word("ON") {
            return Err(not_here("SHOW … ON another database"));
        }
        let mut from = Vec::new();
        if !matches!(what, Shown::Measurements) && self.word("FROM") {
            from.push(self.measurement()?);
            while self.symbol(",") {
                from.push(self.measurement()?);
            }
        }
        if let Shown::TagValues { keys, .. } = &mut what {
            self.expect_word("WITH")?;
            self.expect_word("KEY")?;
            *keys = self.keys()?;
        }
        if self.word("WHERE") {
            let Shown::TagValues { condition, .. } = &mut what else {
                return Err(not_here("WHERE of SHOW but of SHOW TAG VALUES"));
            };
            *condition = Some(self.condition()?);
        }
        if self.word("WITH") {
            return Err(not_here("SHOW MEASUREMENTS WITH MEASUREMENT"));
        }
        Ok(Show { what, from, range: self.row_range()? })
    }

    /// What stands behind `WITH KEY`.
    fn keys(&mut self) -> Result<Vec<String>> {
        if self.symbol("=") {
            return Ok(vec![self.name()?]);
        }
        if !self.word("IN") {
            return Err(not_here("WITH KEY but = and IN"));
        }
        self.expect_symbol("(")?;
        let mut keys = vec![self.name()?];
        while self.symbol(",") {
            keys.push(self.name()?);
        }
        self.expect_symbol(")")?;
        Ok(keys)
    }

    fn condition(&mut self) -> Result<Condition> {
        let mut any = vec![self.conjunction()?];
        while self.word("OR") {
            any.push(self.conjunction()?);
        }
        Ok(one_or(any, Condition::Or))
    }

    fn conjunction(&mut self) -> Result<Condition> {
        let mut all = vec![self.comparison()?];
        while self.word("AND") {
            all.push(self.comparison()?);
        }
        Ok(one_or(all, Condition::And))
    }

    fn comparison(&mut self) -> Result<Condition> {
        if self.symbol("(") {
            let inside = self.condition()?;
            self.expect_symbol(")")?;
            return Ok(inside);
        }
        if matches!(self.peek(), None | Some(Token::Symbol(_))) {
            return Err(self.unexpected());
        }
        if !matches!(self.peek(), Some(Token::Word(_) | Token::Quoted(_))) {
            return Err(not_here("conditions that do not begin with a column"));
        }
        let column = self.name()?;
        let comparison = match self.next() {
            Some(Token::Symbol("+" | "-" | "*" | "/" | "(")) => {
                return Err(not_here("calculations in WHERE but on times"));
            }
            Some(Token::Symbol("::")) => return Err(not_here("types behind ::")),
            Some(Token::Symbol(symbol)) => Comparison::parse(symbol),
            _ => None,
        };
        let comparison = comparison.ok_or_else(|| self.unexpected_before())?;
        if column == "time" {
            return Ok(Condition::Time(comparison, self.time()?));
        }
        let value = self.value()?;
        if matches!(self.peek(), Some(Token::Symbol("+" | "-" | "*" | "/"))) {
            return Err(not_here("calculations in WHERE but on times"));
        }
        Ok(Condition::Column(column, comparison, value))
    }

    /// Times and durations, added and subtracted, in nanoseconds.
    fn time(&mut self) -> Result<i64> {
        let mut sum = 0_i64;
        let mut minus = self.symbol("-");
        loop {
            let term = match self.next() {
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("now") => {
                    self.expect_symbol("(")?;
                    self.expect_symbol(")")?;
                    self.now
                }
                Some(Token::Integer(nanos) | Token::Duration(nanos)) => nanos,
                Some(Token::Text(text)) => time_of(&text)?,
                Some(Token::Param(param)) => match self.param(&param)? {
                    Value::Text(text) => time_of(&text)?,
                    Value::Integer(nanos) => nanos,
                    _ => return Err(plan_error("invalid expression: a time is no such value")),
                },
                _ => return Err(self.unexpected_before()),
            };
            let next = if minus { sum.checked_sub(term) } else { sum.checked_add(term) };
            sum = next.ok_or_else(|| plan_error("overflow of a time"))?;
            minus = match self.peek() {
                Some(Token::Symbol("+")) => false,
                Some(Token::Symbol("-")) => true,
                _ => return Ok(sum),
            };
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value> {
        let minus = self.symbol("-");
        Ok(match self.next() {
            Some(Token::Integer(number)) => Value::Integer(if minus { -number } else { number }),
            Some(Token::Number(number)) => Value::Number(if minus { -number } else { number }),
            _ if minus => return Err(self.unexpected_before()),
            Some(Token::Text(text)) => Value::Text(text),
            Some(Token::Regex(regex)) => Value::Regex(regex),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Value::Boolean(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Value::Boolean(false),
            Some(Token::Param(param)) => self.param(&param)?,
            Some(Token::Word(_) | Token::Quoted(_)) => {
                return Err(not_here("conditions with a column on the right"));
            }
            _ => return Err(self.unexpected_before()),
        })
    }

    fn param(&self, param: &str) -> Result<Value> {
        Ok(match self.params.get(param) {
            Some(ScalarValue::Utf8(Some(text))) => Value::Text(text.clone()),
            Some(ScalarValue::Boolean(Some(value))) => Value::Boolean(*value),
            Some(ScalarValue::Int64(Some(number))) => Value::Integer(*number),
            Some(ScalarValue::UInt64(Some(number))) => {
                i64::try_from(*number).map_or(Value::Number(*number as f64), Value::Integer)
            }
            Some(ScalarValue::Float64(Some(number))) => Value::Number(*number),
            Some(_) => return Err(not_here("parameters that are null")),
            None => {
                return Err(plan_error(format!(
                    "Bind parameter '${param}' was referenced in the InfluxQL statement but its value is undefined."
                )));
            }
        })
    }

    fn name(&mut self) -> Result<String> {
        match self.next() {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(name),
            _ => Err(self.unexpected_before()),
        }
    }

    /// Takes the next token if it is this keyword, in whatever case.
    fn word(&mut self, keyword: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, keyword: &str) -> Result<()> {
        if self.word(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    /// Of the next token.
    fn unexpected(&self) -> DataFusionError {
        let at = self.tokens.get(self.at).map_or(self.text.len(), |(at, _)| *at);
        invalid(self.text, at)
    }

    /// Of the token that was just taken.
    fn unexpected_before(&mut self) -> DataFusionError {
        self.at = self.at.saturating_sub(1);
        self.unexpected()
    }
}

fn one_or(mut conditions: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => join(conditions),
    }
}

/// A date, or a date and a time, in UTC if nothing else is said.
fn time_of(text: &str) -> Result<i64> {
    string_to_timestamp_nanos(text)
        .map_err(|_| plan_error(format!("invalid expression: '{text}' is not a valid timestamp")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Statement> {
        parse(text, &HashMap::from([("p".to_owned(), ScalarValue::UInt64(Some(7)))]))
    }

    fn select(text: &str) -> Select {
        match read(text).unwrap() {
            Statement::Select(select) => select,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_select_with_everything() {
        let text = "select mean(\"a b\") as m, * FROM \"x y\" WHERE (a = 'b' OR c != $p) AND time > 5s - 1ms \
                    group by time(1m, -10s), t fill(-1) order by time desc limit 3 offset 1;";
        let select = select(text);
        let expected = Select {
            columns: vec![
                Selected {
                    what: What::Call(Function::Mean, Argument::Field("a b".into())),
                    alias: Some("m".into()),
                },
                Selected { what: What::All, alias: None },
            ],
            from: "x y".into(),
            condition: Some(Condition::And(vec![
                Condition::Or(vec![
                    Condition::Column("a".into(), Comparison::Equal, Value::Text("b".into())),
                    Condition::Column("c".into(), Comparison::NotEqual, Value::Integer(7)),
                ]),
                Condition::Time(Comparison::Greater, 4_999_000_000),
            ])),
            bins: Some(Bins { width: 60_000_000_000, offset: -10_000_000_000 }),
            tags: Tags::Named(vec!["t".into()]),
            fill: Fill::Number(-1.0),
            descending: true,
            range: RowRange { limit: Some(3), offset: 1 },
        };
        assert_eq!(select, expected);
    }

    #[test]
    fn times_are_dates_numbers_and_sums() {
        for (text, nanos) in [
            ("'1970-01-01T00:00:01Z'", 1_000_000_000),
            ("'1970-01-01 00:00:00.5'", 500_000_000),
            ("'1970-01-02'", 86_400_000_000_000),
            ("'1970-01-01T01:00:00+01:00' + 1u", 1000),
            ("12", 12),
            ("-1h", -3_600_000_000_000),
            ("$p", 7),
        ] {
            let condition = select(&format!("SELECT f FROM m WHERE time = {text}")).condition;
            assert_eq!(condition, Some(Condition::Time(Comparison::Equal, nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_and_what_is_not_here_are_told_apart() {
        for (text, part) in [
            (
                "SELEC 1",
                "invalid InfluxQL statement at pos 0. Parsing Error: Nom(\"SELEC 1\", Tag)",
            ),
            ("SELECT f FROM", "invalid InfluxQL statement at pos 13."),
            ("SELECT f FROM m WHERE", "at pos 21."),
            ("SELECT f FROM m WHERE 1 < f", "conditions that do not begin with a column"),
            ("SELECT f FROM m ORDER BY f", "at pos 25"),
            ("SELECT f FROM m nonsense", "at pos 16"),
            ("SELECT f FROM m WHERE f = $q", "Bind parameter '$q' was referenced"),
            ("SELECT f FROM m WHERE time > 'soon'", "'soon' is not a valid timestamp"),
            ("SELECT f FROM db..m", "not implemented: database prefix"),
            ("SHOW DATABASES", "not implemented: SHOW DATABASES"),
            ("DELETE FROM m", "not implemented: DELETE"),
            ("SELECT f + 1 FROM m", "the dev server's InfluxQL has no calculations"),
            ("SELECT derivative(f) FROM m", "has no function derivative"),
            ("SELECT f FROM (SELECT f FROM m)", "has no queries below queries"),
            ("SELECT f FROM /m/", "has no regular expressions but"),
            ("SELECT f FROM a, b", "has no FROM of several measurements"),
            ("SELECT f INTO n FROM m", "has no INTO"),
            ("SELECT f FROM m LIMIT 1 SLIMIT 1", "has no SLIMIT"),
            ("SELECT mean(f) FROM m GROUP BY time(1s) FILL(LINEAR)", "has no FILL(LINEAR)"),
            ("SHOW TAG KEYS WHERE t = 'a'", "has no WHERE of SHOW"),
            ("EXPLAIN SELECT f FROM m", "has no EXPLAIN"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
