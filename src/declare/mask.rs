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

/// The text without the secrets of files that were parsed; one entry per body. `names` are those of secret attributes.
#[must_use]
pub fn ranges(bodies: &[&Body], names: &HashSet<&'static str>) -> Vec<Vec<Range<usize>>> {
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

/// Blanks ranges of a text; line ends stay.
#[must_use]
pub fn blank(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        if let Some(part) = bytes.get_mut(range.clone()) {
            part.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
}

/// Blanks what looks like a secret in a text that cannot be parsed: everything behind `NAME =` on its line, or up to the end of
/// its heredoc.
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
        } else if let Some(start) = secret_start(line, names) {
            ranges.push(offset + start..offset + line.len());
            heredoc = line[start..].trim().strip_prefix("<<").map(|word| word.trim_start_matches('-').trim().to_owned());
        }
        offset += line.len();
    }
    blank(text, &ranges)
}

/// Where the value of a secret attribute begins in a line.
fn secret_start(line: &str, names: &HashSet<&'static str>) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let assigned = line.match_indices('=').find(|(at, _)| {
        let name = line[..*at].trim_end().rsplit(|c: char| !word(c)).next().unwrap_or("");
        names.contains(name) || matches!(name, "default" | "url" | "journal")
    });
    let called = line.find("sensitive(").map(|at| at + "sensitive(".len());
    assigned.map(|(at, _)| at + 1).into_iter().chain(called).min()
}

struct Finder<'n> {
    names: &'n HashSet<&'static str>,
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
        if self.names.contains(name) && !matches!(name, "url" | "journal") || matches!(name, "url" | "journal") && may_hold_password(&attribute.value)
        {
            self.secret(&attribute.value);
        }
        visit::visit_attr(self, attribute);
    }

    fn visit_block(&mut self, block: &Block) {
        if block.ident.as_str() == "variable"
            && let (Some(sensitive), Some(default)) = (block.body.get_attribute("sensitive"), block.body.get_attribute("default"))
            && sensitive.value.as_bool() != Some(false)
        {
            self.secret(&default.value);
        }
        visit::visit_block(self, block);
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        if call.name.name.as_str() == "sensitive" {
            call.args.iter().for_each(|arg| self.secret(arg));
        }
        visit::visit_func_call(self, call);
    }
}

/// A plain URL without anything before an `@`, or a word such as `local`, is no secret.
fn may_hold_password(expr: &Expression) -> bool {
    expr.as_str().is_none_or(|text| text.contains('@') || text.to_ascii_lowercase().contains("password"))
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
            Expression::Number(_) => self.finder.ranges.extend(expr.span()),
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
            self.finder.refers.insert(format!("{}.{name}", root.as_str()));
            return;
        }
        visit::visit_traversal(self, traversal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let body: Body = hcl_edit::parser::parse_body(text).unwrap();
        let names = HashSet::from(["password", "webhook_url", "api_token"]);
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
            ("a {\n password = env(\"X\", \"hunter2\")\n}\n", "hunter2"),
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
        let text = "a { password = \"hunter2 }\n b = \"keep\"\n password = <<EOT\n hunter3\nEOT\n c = sensitive(\"hunter4\n";
        let result = blank_unparsed(text, &names);
        assert!(!result.contains("hunter") && result.contains("keep"), "{result}");
    }
}
