//! Secret literals are blanked in the text that excerpts are cut from, byte for byte, so that no excerpt anywhere can show one:
//! values of secret attributes, and of variables and locals that go into them, defaults of sensitive variables, and arguments of
//! `sensitive()`.

use std::collections::HashSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Traversal};
use hcl_edit::structure::{Attribute, Block, Body};
use hcl_edit::template::{Element, Template};
use hcl_edit::visit::{self, Visit};

use super::eval::static_name;
use super::secrets::holds_password;

/// The names that a file may use.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Of secret attributes.
    pub secret: HashSet<&'static str>,
    /// Of all attributes.
    pub attributes: HashSet<&'static str>,
    /// Of blocks.
    pub blocks: HashSet<&'static str>,
    /// Whether all files of the environment could be read. If not, any local and any default may go into a secret.
    pub all_read: bool,
}

/// Where secrets stand in files that were parsed; one entry per body.
#[must_use]
pub fn ranges(bodies: &[&Body], names: &Names) -> Vec<Vec<Range<usize>>> {
    let mut found: Vec<Finder<'_>> = bodies.iter().map(|_| Finder { names, ranges: Vec::new(), refers: HashSet::new() }).collect();
    for (body, finder) in bodies.iter().zip(&mut found) {
        finder.visit_body(body);
    }
    // What secret attributes refer to is secret too, and so on; each round can only add names.
    let mut known: HashSet<String> = HashSet::new();
    loop {
        let all: HashSet<String> = found.iter().flat_map(|finder| finder.refers.iter().cloned()).collect();
        let new: HashSet<String> = all.difference(&known).cloned().collect();
        if new.is_empty() {
            return found.into_iter().map(|finder| finder.ranges).collect();
        }
        for (body, finder) in bodies.iter().zip(&mut found) {
            for block in body.blocks() {
                follow(block, &new, finder);
            }
        }
        known.extend(new);
    }
}

/// Marks what stands behind names that go into secrets.
fn follow(block: &Block, names: &HashSet<String>, finder: &mut Finder<'_>) {
    match block.ident.as_str() {
        "locals" => {
            for attribute in block.body.attributes() {
                if names.contains(&format!("local.{}", attribute.key.as_str())) {
                    finder.secret(&attribute.value);
                }
            }
        }
        "variable" => {
            let label = block.labels.first().map_or("", |label| label.as_str());
            if names.contains(&format!("var.{label}"))
                && let Some(default) = block.body.get_attribute("default")
            {
                finder.secret(&default.value);
            }
        }
        _ => {}
    }
}

/// Blanks ranges of a text; line ends stay. One without an end is the comment that follows, if there is one.
#[must_use]
pub fn blank(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        let range = if range.end == usize::MAX { comment(text, range.start) } else { range.clone() };
        if let Some(part) = bytes.get_mut(range) {
            part.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
}

/// The comment that follows a place on its line; nothing when something else does.
fn comment(text: &str, from: usize) -> Range<usize> {
    let line = text.get(from..).and_then(|rest| rest.lines().next()).unwrap_or("");
    let behind = line.trim_start();
    let start = from + line.len() - behind.len();
    if behind.starts_with('#') || behind.starts_with('/') { start..start + behind.len() } else { from..from }
}

/// Blanks everything in a text that cannot be parsed that may be a secret: nobody can tell which attribute a text belongs to, so this is everything
/// behind the first quote of a line but the labels of blocks, everything behind `NAME =` of a secret attribute up to the end of the line, and every heredoc.
#[must_use]
pub fn blank_unparsed(text: &str, names: &HashSet<&'static str>) -> String {
    let mut ranges = Vec::new();
    let (mut offset, mut heredoc) = (0, None::<String>);
    for line in text.split_inclusive('\n') {
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
            } else {
                ranges.push(offset..offset + line.len());
            }
        } else {
            let start = [secret_start(line, names), first_quote(line), unpaired(line)].into_iter().flatten().min().unwrap_or(line.len());
            ranges.push(offset + start..offset + line.len());
            heredoc = line.split_once("<<").map(|(_, word)| word.trim_start_matches('-').trim().to_owned());
        }
        offset += line.len();
    }
    blank(text, &ranges)
}

/// Where the first quote of a line stands, labels of a block's header aside. What follows it cannot be told apart: quotes stand within quotes, and the
/// one that is missing may be any of them.
fn first_quote(line: &str) -> Option<usize> {
    let brace = line.find(['{', '=', '(', '[', ',', '#']).filter(|at| line[*at..].starts_with('{'));
    let header = brace.filter(|_| BLOCKS_WITH_LABELS.iter().any(|word| line.trim_start().starts_with(word))).unwrap_or(0);
    line[header..].find('"').map(|at| header + at + 1)
}

/// Where the value begins in a line with a quote too few: the missing one may be the first.
fn unpaired(line: &str) -> Option<usize> {
    let odd = line.matches('"').count() % 2 == 1;
    line.find('=').filter(|_| odd).map(|at| at + 1)
}

/// How lines begin whose quotes hold names.
const BLOCKS_WITH_LABELS: [&str; 7] = ["environment ", "provider ", "variable ", "database ", "dns_zone ", "check ", "record "];

/// Where the value of a secret attribute begins in a line.
fn secret_start(line: &str, names: &HashSet<&'static str>) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let assigned = line.match_indices('=').find(|(at, _)| {
        let name = line[..*at].trim_end().rsplit(|c: char| !word(c)).next().unwrap_or("");
        names.contains(name) || matches!(name, "default" | "url" | "journal" | "base_url" | "endpoint_url")
    });
    let called = line.find("sensitive(").map(|at| at + "sensitive(".len());
    assigned.map(|(at, _)| at + 1).into_iter().chain(called).min()
}

struct Finder<'n> {
    names: &'n Names,
    ranges: Vec<Range<usize>>,
    refers: HashSet<String>,
}

impl Finder<'_> {
    fn secret(&mut self, expr: &Expression) {
        Literals { finder: self }.visit_expr(expr);
    }
}

impl Visit for Finder<'_> {
    fn visit_attr(&mut self, attribute: &Attribute) {
        let name = attribute.key.as_str();
        // Addresses are shown unless they hold a secret.
        let address = matches!(name, "url" | "journal" | "base_url" | "endpoint_url");
        if self.names.secret.contains(name) && !address || address && may_hold_password(&attribute.value) {
            self.secret(&attribute.value);
        }
        // What follows on the line can only be a comment, and may be the rest of an address whose quote was closed too early.
        if self.names.secret.contains(name) || address {
            self.ranges.extend(attribute.value.span().map(|value| value.end..usize::MAX));
        }
        visit::visit_attr(self, attribute);
    }

    fn visit_body(&mut self, body: &Body) {
        // Attributes stand in blocks, so nobody knows what one outside of them is.
        body.attributes().for_each(|attribute| self.secret(&attribute.value));
        body.blocks().for_each(|block| self.visit_block(block));
    }

    fn visit_block(&mut self, block: &Block) {
        let name = block.ident.as_str();
        let known = |attribute: &Attribute| name == "locals" || self.names.attributes.contains(attribute.key.as_str());
        let inner = |block: &Block| self.names.blocks.contains(block.ident.as_str());
        // A misspelt name may be that of a secret attribute, or say that the rest of its block is secret.
        let misspelt = !self.names.blocks.contains(name) || !block.body.attributes().all(known) || !block.body.blocks().all(inner);
        let given = !self.names.all_read && matches!(name, "locals" | "variable");
        let sensitive = name == "variable" && block.body.get_attribute("sensitive").is_some_and(|flag| flag.value.as_bool() != Some(false));
        if misspelt || given {
            block.body.attributes().for_each(|attribute| self.secret(&attribute.value));
        } else if let Some(default) = block.body.get_attribute("default").filter(|_| sensitive) {
            self.secret(&default.value);
        }
        block.body.attributes().for_each(|attribute| self.visit_attr(attribute));
        block.body.blocks().for_each(|block| self.visit_block(block));
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        if call.name.name.as_str() == "sensitive" {
            call.args.iter().for_each(|arg| self.secret(arg));
        }
        visit::visit_func_call(self, call);
    }
}

/// A plain URL without anything before an `@` and without a secret parameter, or a word such as `local`, is no secret.
fn may_hold_password(expr: &Expression) -> bool {
    expr.as_str().is_none_or(|text| text.contains('@') || holds_password(text))
}

/// Collects the literals of an expression, and the names it refers to.
struct Literals<'f, 'n> {
    finder: &'f mut Finder<'n>,
}

impl Visit for Literals<'_, '_> {
    fn visit_expr(&mut self, expr: &Expression) {
        match expr {
            Expression::String(_) => {
                if let Some(span) = expr.span()
                    && span.len() >= 2
                {
                    self.finder.ranges.push(span.start + 1..span.end - 1);
                }
            }
            // A bare word is a secret whose quotes were forgotten.
            Expression::Number(_) | Expression::Variable(_) => self.finder.ranges.extend(expr.span()),
            other => visit::visit_expr(self, other),
        }
    }

    fn visit_template(&mut self, template: &Template) {
        for element in template {
            if let Element::Literal(literal) = element {
                self.finder.ranges.extend(literal.span());
            }
        }
        visit::visit_template(self, template);
    }

    fn visit_string_template(&mut self, template: &hcl_edit::template::StringTemplate) {
        self.visit_template(template);
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        // The name of an environment variable or of a file is no secret.
        let skip = usize::from(matches!(call.name.name.as_str(), "env" | "file" | "templatefile"));
        call.args.iter().skip(skip).for_each(|arg| self.visit_expr(arg));
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(root) = &traversal.expr
            && let Some(name) = traversal.operators.first().and_then(|operator| static_name(operator.value()))
        {
            if matches!(root.as_str(), "var" | "local") {
                self.finder.refers.insert(format!("{}.{name}", root.as_str()));
                return;
            }
            self.finder.ranges.extend(traversal.span());
        }
        visit::visit_traversal(self, traversal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let body: Body = hcl_edit::parser::parse_body(text).unwrap();
        let secret = HashSet::from(["password", "webhook_url", "api_token"]);
        let known = ["url", "journal", "endpoint_url", "default", "sensitive", "name", "password", "webhook_url"];
        let names = Names {
            secret,
            attributes: HashSet::from(known),
            blocks: HashSet::from(["a", "p", "variable", "locals", "environment"]),
            all_read: true,
        };
        blank(text, &ranges(&[&body], &names)[0])
    }

    #[test]
    fn secrets_are_blanked_and_nothing_else() {
        for (text, gone) in [
            ("a { password = \"hunter2\" }\n", "hunter2"),
            ("a {\n  webhook_url = \"https://x/${env(\"X\")}/hunter2\"\n}\n", "hunter2"),
            ("a {\n  password = <<EOT\nhunter2\nEOT\n}\n", "hunter2"),
            ("variable \"x\" {\n default = \"hunter2\"\n sensitive = true\n}\n", "hunter2"),
            ("variable \"x\" {\n default = \"hunter2\"\n}\nlocals {\n y = var.x\n}\na {\n password = local.y\n}\n", "hunter2"),
            ("locals {\n z = sensitive(\"hunter2\")\n}\n", "hunter2"),
            ("p \"postgres\" {\n url = \"postgres://u:hunter2@h/d\"\n}\n", "hunter2"),
            ("p \"postgres\" {\n url = \"https://h/d?a=1&sslpassword=hunter2\"\n}\n", "hunter2"),
            ("p \"postgres\" {\n url = \"host=h password=hunter2\"\n}\n", "hunter2"),
            ("p \"aws\" {\n endpoint_url = \"http://u:hunter2@h/\"\n}\n", "hunter2"),
            ("environment \"e\" {\n journal = \"s3://b/p?secret_access_key=hunter2\"\n}\n", "hunter2"),
            ("a {\n password = env(\"X\", \"hunter2\")\n}\n", "hunter2"),
            ("a {\n pasword = \"hunter2\"\n}\n", "hunter2"),
            ("variable \"x\" {\n default = \"hunter2\"\n sensitiv = true\n}\n", "hunter2"),
            ("lcals {\n x = \"hunter2\"\n}\n", "hunter2"),
            ("x = \"hunter2\"\n", "hunter2"),
            ("a {\n password = hunter2\n}\n", "hunter2"),
            ("a {\n password = hunter2.x[0]-hunter2\n}\n", "hunter2"),
            ("a {\n password = env(\"X\") # was hunter2\n}\n", "hunter2"),
            ("p \"postgres\" {\n url = \"postgres:\"//u:hunter2@h/d\"\n}\n", "hunter2"),
        ] {
            let result = masked(text);
            assert!(!result.contains(gone), "{result}");
            assert_eq!(result.len(), text.len());
        }
        for text in ["a { password = env(\"X\") }\n", "a { name = \"hunter2\" }\n", "a { url = \"https://x/\" }\n"] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn what_cannot_be_parsed_is_blanked_by_its_lines() {
        let names = HashSet::from(["password"]);
        let text = "provider \"keep\" {\n a = keep(\"hunter1\", keep)\n password = \"hunter2 }\n password = <<EOT\n hunter3\nEOT\n c = sensitive(\"hunter4\n\
                    x \"hunter5\" {\n f = hunter9\"\n provider { \"hunter6\" = 1\n provider \"hunter7\n d = <<-EOT\n hunter8\n EOT\n e = keep\n";
        let result = blank_unparsed(text, &names);
        assert!(!result.contains("hunter") && result.matches("keep").count() == 3, "{result}");
    }
}
