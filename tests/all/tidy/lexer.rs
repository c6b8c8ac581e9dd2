//! Just enough of Rust's lexical grammar to tell code from comments and texts, so that the tidy tests judge code alone.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an identifier.
    Word,
    /// One character of punctuation.
    Mark,
    /// A string of any form; the token's text is what stands between the quotes, escapes as written.
    Text,
    /// A character or byte.
    Char,
    /// A lifetime or label.
    Lifetime,
    /// A number.
    Number,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
    /// The line on which it begins, from 1.
    pub line: usize,
}

impl Token {
    /// Whether it is this word or this mark; a text never is.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// The tokens of a source text, without comments. Never fails: what is not Rust gives odd tokens.
pub fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, tokens: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.next();
    }
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn take(&mut self) -> char {
        let c = self.peek(0);
        self.at += 1;
        self.line += usize::from(c == '\n');
        c
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token { kind, text, line });
    }

    fn next(&mut self) {
        let (line, c) = (self.line, self.peek(0));
        if c == '/' && self.peek(1) == '/' {
            while self.at < self.chars.len() && self.peek(0) != '\n' {
                self.take();
            }
        } else if c == '/' && self.peek(1) == '*' {
            self.block_comment();
        } else if c.is_whitespace() {
            self.take();
        } else if c == '"' {
            self.quoted();
        } else if c == '\'' {
            self.quote();
        } else if c.is_ascii_digit() {
            self.number();
        } else if c == '_' || c.is_alphabetic() {
            self.word();
        } else {
            self.take();
            self.push(Kind::Mark, c.to_string(), line);
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            let (a, b) = (self.peek(0), self.peek(1));
            if a == '/' && b == '*' {
                depth += 1;
                self.take();
            } else if a == '*' && b == '/' {
                depth -= 1;
                self.take();
            }
            self.take();
            if depth == 0 || self.at >= self.chars.len() {
                return;
            }
        }
    }

    fn quoted(&mut self) {
        let line = self.line;
        self.take();
        let mut text = String::new();
        while self.at < self.chars.len() && self.peek(0) != '"' {
            let c = self.take();
            text.push(c);
            if c == '\\' {
                text.push(self.take());
            }
        }
        self.take();
        self.push(Kind::Text, text, line);
    }

    /// After the `r`: hashes, quote, anything, quote, as many hashes.
    fn raw(&mut self) {
        let line = self.line;
        let mut hashes = 0;
        while self.peek(0) == '#' {
            hashes += 1;
            self.take();
        }
        self.take();
        let mut text = String::new();
        while self.at < self.chars.len() && !(self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#')) {
            text.push(self.take());
        }
        self.at += hashes + 1;
        self.push(Kind::Text, text, line);
    }

    /// A character, or a lifetime: `'a'` is the one, `'a` the other.
    fn quote(&mut self) {
        let line = self.line;
        self.take();
        let mut text = String::new();
        if self.peek(0) == '\\' {
            text.push(self.take());
            text.push(self.take());
            while self.at < self.chars.len() && self.peek(0) != '\'' {
                text.push(self.take());
            }
        } else if self.peek(1) == '\'' {
            text.push(self.take());
        } else {
            while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
                text.push(self.take());
            }
            self.push(Kind::Lifetime, text, line);
            return;
        }
        self.take();
        self.push(Kind::Char, text, line);
    }

    fn number(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.peek(0) == '_' || self.peek(0).is_alphanumeric() || (self.peek(0) == '.' && self.peek(1).is_ascii_digit()) {
            text.push(self.take());
        }
        self.push(Kind::Number, text, line);
    }

    /// A word, unless it is the prefix of a text, a byte or a raw identifier.
    fn word(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
            text.push(self.take());
        }
        let hashes = (0..usize::from(u8::MAX)).take_while(|ahead| self.peek(*ahead) == '#').count();
        let prefix = matches!(text.as_str(), "r" | "b" | "c" | "br" | "cr");
        if prefix && text.ends_with('r') && self.peek(hashes) == '"' {
            self.raw();
        } else if prefix && self.peek(0) == '"' {
            self.quoted();
        } else if text == "b" && self.peek(0) == '\'' {
            self.quote();
        } else if text == "r" && hashes == 1 {
            self.take();
            self.word();
        } else {
            self.push(Kind::Word, text, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Kind, String)> {
        lex(text).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    fn words(text: &str) -> Vec<String> {
        lex(text).into_iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_left_out_however_they_nest() {
        assert_eq!(words("a // b { \"\n/* c /* d */ \" e */ f /// g\nh"), ["a", "f", "h"]);
    }

    #[test]
    fn texts_hide_what_they_hold() {
        assert_eq!(tokens(r#""a \" { // b""#), [(Kind::Text, r#"a \" { // b"#.to_owned())]);
        assert_eq!(tokens("r#\"a \" b\"# b\"c\" br\"d\""), [(Kind::Text, "a \" b".into()), (Kind::Text, "c".into()), (Kind::Text, "d".into())]);
        assert_eq!(words("r#type rest"), ["type", "rest"]);
    }

    #[test]
    fn characters_are_no_lifetimes() {
        let kinds = |text: &str| lex(text).into_iter().map(|token| token.kind).collect::<Vec<_>>();
        assert_eq!(kinds(r"'{' '\'' '\u{7b}' b'}' '''"), [Kind::Char; 5]);
        assert_eq!(tokens("&'a str"), [(Kind::Mark, "&".into()), (Kind::Lifetime, "a".into()), (Kind::Word, "str".into())]);
    }

    #[test]
    fn lines_count_from_one_through_everything() {
        let lines: Vec<_> = lex("a\n/*\n*/ b \"x\ny\" c\n\nd").into_iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(lines, [("a".to_owned(), 1), ("b".to_owned(), 3), ("x\ny".to_owned(), 3), ("c".to_owned(), 4), ("d".to_owned(), 6)]);
    }

    #[test]
    fn ranges_are_not_part_of_numbers() {
        assert_eq!(
            tokens("0..1.5_f64"),
            [(Kind::Number, "0".into()), (Kind::Mark, ".".into()), (Kind::Mark, ".".into()), (Kind::Number, "1.5_f64".into())]
        );
    }
}
