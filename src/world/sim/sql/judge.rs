//! What statements do to the table model: counts of rows, and who references whom. What cannot be judged by these is an error.

use std::collections::BTreeSet;

use super::tokens::{Statement, Token};
use super::{Database, Table};
use crate::model::Json;

/// An error: `PostgreSQL`'s code where there is one, and words.
pub(super) type Refusal = (Option<&'static str>, String);

fn unjudged<T>(statement: &Statement) -> Result<T, Refusal> {
    Err((None, format!("the simulated world cannot judge this statement: {}", statement.text)))
}

/// Reads tokens one after the other.
struct Cursor<'a>(&'a [Token]);

impl<'a> Cursor<'a> {
    /// Goes past these words, if they are next.
    fn words(&mut self, words: &str) -> bool {
        let wanted: Vec<&str> = words.split(' ').collect();
        let there =
            self.0.len() >= wanted.len() && self.0.iter().zip(&wanted).all(|(token, word)| matches!(token, Token::Word(text) if text == word));
        if there {
            self.0 = &self.0[wanted.len()..];
        }
        there
    }

    /// Goes past this symbol, if it is next.
    fn symbol(&mut self, symbol: char) -> bool {
        let there = self.0.first() == Some(&Token::Symbol(symbol));
        if there {
            self.0 = &self.0[1..];
        }
        there
    }

    fn name(&mut self) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        let (Token::Word(name) | Token::Quoted(name)) = first else { return None };
        self.0 = rest;
        Some(name)
    }

    /// A table's name; only the schema `public` is modelled.
    fn table(&mut self) -> Option<&'a str> {
        let name = self.name()?;
        if self.symbol('.') { if name == "public" { self.name() } else { None } } else { Some(name) }
    }

    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

fn known<'d>(database: &'d mut Database, name: &str) -> Result<&'d mut Table, Refusal> {
    database.tables.get_mut(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    (Some("42P01"), format!("relation \"{name}\" does not exist"))
}

/// Does one statement of a transaction.
pub(super) fn execute(database: &mut Database, statement: &Statement) -> Result<(), Refusal> {
    let mut cursor = Cursor(&statement.tokens);
    let ends_it = ["begin", "start transaction", "commit", "end", "rollback", "abort", "prepare transaction"];
    if ends_it.iter().any(|words| cursor.words(words)) {
        return Err((Some("2D000"), format!("a statement would end or begin a transaction: {}", statement.text)));
    }
    let own_transaction = ["vacuum", "create database", "drop database", "reindex database", "alter system"];
    if own_transaction.iter().any(|words| cursor.words(words)) {
        return Err((Some("25001"), format!("this cannot run inside a transaction block: {}", statement.text)));
    }
    if cursor.words("truncate") {
        return truncate(database, &mut cursor, statement);
    }
    if cursor.words("delete from") {
        cursor.words("only");
        let Some(name) = cursor.table() else { return unjudged(statement) };
        known(database, name)?;
        let referencing =
            database.tables.iter().find(|(other, table)| other.as_str() != name && table.rows > 0 && table.references.iter().any(|to| to == name));
        if !cursor.is_at_end() || referencing.is_some() {
            // How many rows a condition meets, or a foreign key holds back, cannot be told from counts.
            return unjudged(statement);
        }
        known(database, name)?.rows = 0;
        return Ok(());
    }
    if cursor.words("update") {
        cursor.words("only");
        let Some(name) = cursor.table() else { return unjudged(statement) };
        known(database, name)?;
        return if cursor.0.contains(&Token::Word("set".to_owned())) { Ok(()) } else { unjudged(statement) };
    }
    if cursor.words("insert into") {
        return insert(database, &mut cursor, statement);
    }
    if cursor.words("analyze") {
        return match cursor.table() {
            Some(name) => known(database, name).map(|_| ()),
            None if cursor.is_at_end() => Ok(()),
            None => unjudged(statement),
        };
    }
    if cursor.words("set local") || cursor.words("set constraints") || cursor.words("set") {
        return Ok(());
    }
    select(database, statement).map(|_| ())
}

fn truncate(database: &mut Database, cursor: &mut Cursor<'_>, statement: &Statement) -> Result<(), Refusal> {
    cursor.words("table");
    let mut names = BTreeSet::new();
    loop {
        cursor.words("only");
        let Some(name) = cursor.table() else { return unjudged(statement) };
        known(database, name)?;
        names.insert(name.to_owned());
        cursor.symbol('*');
        if !cursor.symbol(',') {
            break;
        }
    }
    if !cursor.words("restart identity") {
        cursor.words("continue identity");
    }
    let cascade = cursor.words("cascade");
    if !cascade {
        cursor.words("restrict");
    }
    if !cursor.is_at_end() {
        return unjudged(statement);
    }
    // Whoever references an emptied table is emptied too, and so on until nobody is left.
    while let Some((other, to)) = referencing(database, &names) {
        if !cascade {
            return Err((
                Some("0A000"),
                format!("cannot truncate a table referenced in a foreign key constraint: table \"{other}\" references \"{to}\""),
            ));
        }
        names.insert(other);
    }
    for name in &names {
        known(database, name)?.rows = 0;
    }
    Ok(())
}

/// A table outside of `names` that references one of them, and which.
fn referencing(database: &Database, names: &BTreeSet<String>) -> Option<(String, String)> {
    let outside = database.tables.iter().filter(|(name, _)| !names.contains(*name));
    outside.flat_map(|(name, table)| table.references.iter().map(move |to| (name.clone(), to.clone()))).find(|(_, to)| names.contains(to))
}

/// `INSERT INTO t [(columns)] VALUES (…), (…)` or `DEFAULT VALUES`.
fn insert(database: &mut Database, cursor: &mut Cursor<'_>, statement: &Statement) -> Result<(), Refusal> {
    let Some(name) = cursor.table() else { return unjudged(statement) };
    let table = known(database, name)?;
    let skip_parentheses = |cursor: &mut Cursor<'_>| {
        let mut depth = 0_usize;
        while let Some((first, rest)) = cursor.0.split_first() {
            match first {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') if depth > 0 => depth -= 1,
                _ if depth == 0 => return false,
                _ => {}
            }
            cursor.0 = rest;
            if depth == 0 {
                return true;
            }
        }
        false
    };
    if cursor.words("default values") && cursor.is_at_end() {
        table.rows = table.rows.saturating_add(1);
        return Ok(());
    }
    skip_parentheses(cursor);
    if !cursor.words("values") {
        return unjudged(statement);
    }
    let mut count = 0_u64;
    while skip_parentheses(cursor) {
        count += 1;
        if !cursor.symbol(',') {
            break;
        }
    }
    if count == 0 || !cursor.is_at_end() {
        return unjudged(statement);
    }
    table.rows = table.rows.saturating_add(count);
    Ok(())
}

/// `SELECT` of a literal, of `count(*)` of a whole table, or of a comparison of that count with a number.
pub(super) fn select(database: &Database, statement: &Statement) -> Result<Json, Refusal> {
    let mut cursor = Cursor(&statement.tokens);
    if !cursor.words("select") {
        return unjudged(statement);
    }
    if cursor.words("count") {
        let star = cursor.symbol('(')
            && (cursor.symbol('*')
                || cursor.0.first() == Some(&Token::Number("1".to_owned())) && {
                    cursor.0 = &cursor.0[1..];
                    true
                });
        if !star || !cursor.symbol(')') {
            return unjudged(statement);
        }
        let Some(comparison) = comparison(&mut cursor) else { return unjudged(statement) };
        if cursor.words("as") {
            cursor.name();
        }
        if !cursor.words("from") {
            return unjudged(statement);
        }
        cursor.words("only");
        let Some(name) = cursor.table() else { return unjudged(statement) };
        let rows = database.tables.get(name).ok_or_else(|| missing(name))?.rows;
        let clause =
            ["where", "join", "group", "limit", "offset", "inner", "left", "right", "full", "cross", "natural", "having", "union", "tablesample"];
        if !clause.iter().any(|word| cursor.0.first() == Some(&Token::Word((*word).to_owned()))) {
            cursor.words("as");
            cursor.name();
        }
        return if cursor.is_at_end() { Ok(comparison(rows)) } else { unjudged(statement) };
    }
    let value = match cursor.0 {
        [Token::Number(number)] => number.parse::<i64>().map(Json::from).or_else(|_| number.parse::<f64>().map(Json::from)).ok(),
        [Token::Symbol('-'), Token::Number(number)] => number.parse::<i64>().ok().and_then(i64::checked_neg).map(Json::from),
        [Token::Text(text)] => Some(Json::from(text.as_str())),
        [Token::Word(word)] => match word.as_str() {
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            "null" => Some(Json::Null),
            _ => None,
        },
        _ => None,
    };
    value.map_or_else(|| unjudged(statement), Ok)
}

/// What becomes of the count: itself when nothing follows, else its comparison with a number.
fn comparison(cursor: &mut Cursor<'_>) -> Option<Box<dyn Fn(u64) -> Json>> {
    let mut operator = String::new();
    while let Some((Token::Symbol(c @ ('<' | '>' | '=' | '!')), rest)) = cursor.0.split_first() {
        operator.push(*c);
        cursor.0 = rest;
    }
    if operator.is_empty() {
        return Some(Box::new(Json::from));
    }
    let (Token::Number(number), rest) = cursor.0.split_first()? else { return None };
    let number: u64 = number.parse().ok()?;
    cursor.0 = rest;
    let compare: fn(&u64, &u64) -> bool = match operator.as_str() {
        "=" => u64::eq,
        "<>" | "!=" => u64::ne,
        "<" => u64::lt,
        "<=" => u64::le,
        ">" => u64::gt,
        ">=" => u64::ge,
        _ => return None,
    };
    Some(Box::new(move |rows| Json::Bool(compare(&rows, &number))))
}
