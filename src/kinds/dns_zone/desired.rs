//! A declared zone, typed: names and answers in canonical form, defaults filled in.

use std::sync::Arc;
use std::time::Duration;

use super::schema::parse_percent;
use crate::declare::{Declared, Desired, Node};
use crate::model::record::{RecordType, canonical_content, canonical_name, is_within};
use crate::model::{Error, Exit, Problem, Result, Severity, Span, Value};

/// Answers that one `record` block may hold.
const ANSWERS_MAX: usize = 1_000;

/// What a zone must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSpec {
    /// Canonical name.
    pub name: String,
    /// The Cloudflare provider's name.
    pub provider: String,
    /// Whether records that are not named are deleted.
    pub all: bool,
    /// Servers to ask after the switch; none: the zone's own.
    pub name_servers: Option<Vec<String>>,
    /// How long they may take.
    pub confirm_timeout: Duration,
    /// How much one plan may change.
    pub safety: Safety,
    /// The declared sets, in the order of the file.
    pub sets: Vec<Set>,
}

/// How much of a zone one plan may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// In hundredths of a percent of the zone's records.
    pub max_deletes: u32,
    /// In hundredths of a percent of the zone's records.
    pub max_updates: u32,
    /// Records in the zone from which the shares count.
    pub from: usize,
}

/// All answers of one type under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Canonical name.
    pub name: String,
    /// The type.
    pub rtype: RecordType,
    /// What it must answer.
    pub answers: Answers,
    /// From now on; none keeps what a record has.
    pub ttl: Option<u32>,
    /// From now on; none keeps what a record has.
    pub proxied: Option<bool>,
    /// From now on; none keeps what a record has.
    pub comment: Option<String>,
    /// From now on, sorted; none keeps what a record has.
    pub tags: Option<Vec<String>>,
    /// Which `record` block of the zone it is, from 0.
    pub block: usize,
}

/// Where the answers of a set come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// The file, in canonical form, without repetitions.
    Fixed(Vec<String>),
    /// Elastic IPs by name.
    ElasticIps {
        /// The AWS provider's name.
        aws: String,
        /// Their `Name` tags, without repetitions.
        names: Vec<String>,
    },
}

impl Answers {
    /// How many answers there are.
    pub fn count(&self) -> usize {
        match self {
            Answers::Fixed(contents) => contents.len(),
            Answers::ElasticIps { names, .. } => names.len(),
        }
    }
}

/// The typed zone, for phases after validation.
///
/// # Errors
/// The first mistake, with its place: only for a declaration that was never checked.
pub fn typed(declared: &Declared, desired: &Desired) -> Result<Arc<ZoneSpec>> {
    if let Some(spec) = declared.typed.get() {
        return Ok(spec);
    }
    let (spec, problems) = read(declared, desired);
    match problems.into_iter().find(|problem| problem.severity == Severity::Error) {
        None => Ok(spec),
        Some(problem) => {
            let place = problem.span.as_ref().map_or_else(String::new, |span| format!("{}: ", span.place()));
            Err(Error::new(Exit::Error, format!("{place}{}", problem.summary), problem.help))
        }
    }
}

/// The typed zone as far as it can be read, and all mistakes of single blocks. It is kept for [`typed`] when there is none.
pub(super) fn read(declared: &Declared, desired: &Desired) -> (Arc<ZoneSpec>, Vec<Problem>) {
    let (body, mut problems) = (&declared.body, Vec::new());
    let name = canonical_name(&declared.address.name).unwrap_or_else(|mistake| {
        problems.push(Problem::error(label_span(body, 0), mistake, "the label of a dns_zone is the zone's name, such as dns_zone \"example.org\""));
        declared.address.name.clone()
    });
    if name.starts_with("*.") {
        problems.push(Problem::error(label_span(body, 0), format!("`{name}` is not the name of a zone"), "name the zone without `*`"));
    }
    let provider = body.text("provider").unwrap_or("cloudflare").to_owned();
    if desired.cloudflare(&provider).is_none() {
        let span = body.attr("provider").map_or(&body.span, |attr| &attr.span);
        problems.push(Problem::error(
            span,
            format!("no provider \"{provider}\" is declared for the zone {name}"),
            "declare provider \"cloudflare\" { api_token = env(\"CLOUDFLARE_API_TOKEN\") }, or name the provider of the zone with `provider = cloudflare.NAME`",
        ));
    }
    let sets = {
        let mut reader = Reader { zone: body, zone_name: &name, desired, problems: &mut problems };
        body.blocks("record").enumerate().filter_map(|(block, record)| reader.set(record, block)).collect()
    };
    let (confirm, safety) = (body.block("confirm"), body.block("safety"));
    let share = |attribute| safety.and_then(|block| block.text(attribute)).and_then(|text| parse_percent(text).ok()).unwrap_or(3_000);
    let spec = ZoneSpec {
        provider,
        all: body.text("answers") == Some("all"),
        name_servers: confirm.and_then(|block| block.texts("name_servers")),
        confirm_timeout: confirm.and_then(|block| block.duration("timeout")).unwrap_or(Duration::from_mins(5)),
        safety: Safety {
            max_deletes: share("max_deletes"),
            max_updates: share("max_updates"),
            from: safety.and_then(|block| block.int("from")).and_then(|number| usize::try_from(number).ok()).unwrap_or(10),
        },
        sets,
        name,
    };
    let spec = Arc::new(spec);
    if problems.iter().all(|problem| problem.severity != Severity::Error) {
        declared.typed.put(Arc::clone(&spec));
    }
    (spec, problems)
}

/// Where a label stands; the block's header when it has none.
pub(super) fn label_span(node: &Node, label: usize) -> &Span {
    node.labels.get(label).map_or(&node.span, |(_, span)| span)
}

/// Reads `record` blocks one after the other, collecting mistakes.
struct Reader<'a> {
    zone: &'a Node,
    zone_name: &'a str,
    desired: &'a Desired,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn error(&mut self, span: &Span, summary: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::error(span, summary, help));
    }

    /// One set; none when what it is cannot be told.
    fn set(&mut self, record: &Node, block: usize) -> Option<Set> {
        let rtype = self.record_type(record);
        let name = self.record_name(record);
        let (rtype, name) = (rtype?, name?);
        if rtype == RecordType::Ns && name == self.zone_name {
            self.error(
                label_span(record, 0),
                format!("the NS records of the zone {name} itself are never touched"),
                "remove this block: Cloudflare keeps the name servers of its zones",
            );
            return None;
        }
        // A set whose answers are wrong has been reported, and still is the second or the first of its name.
        let answers = self.answers(record, rtype, &name).unwrap_or(Answers::Fixed(Vec::new()));
        let proxied = self.proxied(record, rtype);
        let number = |node: &Node| node.int("ttl").and_then(|seconds| u32::try_from(seconds).ok());
        let mut tags = record.texts("tags");
        if let Some(tags) = &mut tags {
            tags.sort();
            tags.dedup();
        }
        let comment = record.text("comment").map(str::to_owned);
        Some(Set { ttl: number(record).or_else(|| number(self.zone)), comment, tags, name, rtype, answers, proxied, block })
    }

    fn record_type(&mut self, record: &Node) -> Option<RecordType> {
        let word = record.labels.first().map_or("", |(word, _)| word.as_str());
        match word.parse() {
            Ok(rtype) => return Some(rtype),
            Err(_) if word.eq_ignore_ascii_case("SOA") => {
                self.error(label_span(record, 0), "the SOA record of a zone is never touched", "remove this block: Cloudflare keeps the SOA record");
            }
            Err(mistake) => {
                let near = RecordType::ALL
                    .iter()
                    .map(|rtype| rtype.word())
                    .find(|known| word.len() < 16 && strsim::damerau_levenshtein(known, &word.to_ascii_uppercase()) == 1);
                let words = RecordType::ALL.map(RecordType::word).join(", ");
                let help = near.map_or_else(|| format!("use one of {words}"), |near| format!("did you mean \"{near}\"? The types are {words}"));
                self.error(label_span(record, 0), mistake, help);
            }
        }
        None
    }

    fn record_name(&mut self, record: &Node) -> Option<String> {
        let text = record.labels.get(1).map_or("", |(text, _)| text.as_str());
        let span = label_span(record, 1);
        let zone = self.zone_name;
        match canonical_name(text) {
            Err(mistake) => self.error(span, mistake, format!("write the full name, such as \"www.{zone}\"")),
            Ok(name) if !is_within(name.strip_prefix("*.").unwrap_or(&name), zone) => {
                let help = format!("names are full names: did you mean \"{name}.{zone}\"? Else move the record to the zone it lies in");
                self.error(span, format!("the record {name} lies outside of its zone {zone}"), help);
            }
            Ok(name) => return Some(name),
        }
        None
    }

    fn proxied(&mut self, record: &Node, rtype: RecordType) -> Option<bool> {
        if rtype.can_be_proxied() {
            return record.bool("proxied").or_else(|| self.zone.bool("proxied"));
        }
        if let (Some(true), Some(attr)) = (record.bool("proxied"), record.attr("proxied")) {
            self.error(&attr.span, format!("{rtype} records cannot be proxied"), "remove `proxied`: only A, AAAA and CNAME records can be proxied");
        }
        None
    }

    /// The answers, from the one attribute that must hold them.
    fn answers(&mut self, record: &Node, rtype: RecordType, name: &str) -> Option<Answers> {
        let present: Vec<&str> = ["value", "values", "elastic_ip"].into_iter().filter(|attribute| record.attr(attribute).is_some()).collect();
        let (&[attribute], Some(attr)) = (present.as_slice(), present.first().and_then(|first| record.attr(first))) else {
            self.not_one_source(record, rtype, name, &present);
            return None;
        };
        let items = match &attr.value {
            Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        if items.iter().any(|item| matches!(item, Value::Secret(_))) {
            self.error(
                &attr.span,
                format!("the {rtype} record {name} would publish a secret"),
                "DNS answers are public: use a value that is not sensitive",
            );
            return None;
        }
        if items.len() > ANSWERS_MAX {
            self.error(
                &attr.span,
                format!("the {rtype} record {name} has {} answers", items.len()),
                format!("at most {ANSWERS_MAX} answers stand under one name and type"),
            );
            return None;
        }
        let texts = items.iter().filter_map(|item| if let Value::String(text) | Value::Reference(text) = item { Some(text.as_str()) } else { None });
        if attribute == "elastic_ip" { self.elastic_ips(record, rtype, &attr.span, texts) } else { self.contents(rtype, name, &attr.span, texts) }
    }

    fn not_one_source(&mut self, record: &Node, rtype: RecordType, name: &str, present: &[&str]) {
        match present {
            [] => self.error(
                &record.span,
                format!("the {rtype} record {name} has no answers"),
                "give it `value`, `values` or `elastic_ip`; `values = []` removes what is there",
            ),
            [_, second, ..] => {
                let span = record.attr(second).map_or(&record.span, |attr| &attr.key);
                let both = present.iter().map(|attribute| format!("`{attribute}`")).collect::<Vec<_>>().join(" and ");
                self.error(span, format!("the {rtype} record {name} has {both}"), "keep one of them");
            }
            [_] => {}
        }
    }

    fn contents<'t>(&mut self, rtype: RecordType, name: &str, span: &Span, texts: impl Iterator<Item = &'t str>) -> Option<Answers> {
        let (mut contents, mut good) = (Vec::with_capacity(texts.size_hint().1.unwrap_or(0)), true);
        for text in texts {
            let content = if text.is_empty() { Err("an answer is empty".to_owned()) } else { canonical_content(rtype, text) };
            match content {
                Ok(content) => contents.push(content),
                Err(mistake) => {
                    good = false;
                    self.error(span, mistake, format!("write the answers of {rtype} records as zone files do: \"{}\"", rtype.example()));
                }
            }
        }
        if rtype == RecordType::Txt && contents.iter().any(|text| text.len() > 1 && text.starts_with('"') && text.ends_with('"')) {
            self.problems.push(Problem::warning(
                span,
                format!("the quotes become part of the text of the TXT record {name}"),
                "TXT stands without quotes of its own, however long it is: remove the inner quotes",
            ));
        }
        // What stands under one name and type is a set: it has no order.
        contents.sort_unstable();
        contents.dedup();
        if rtype == RecordType::Cname && (contents.len() > 1 || contents.first().is_some_and(|target| target == name)) {
            good = false;
            let what = if contents.len() > 1 { "has more than one target" } else { "points at itself" };
            self.error(span, format!("the CNAME record {name} {what}"), "a CNAME record has exactly one target, another name");
        }
        good.then_some(Answers::Fixed(contents))
    }

    fn elastic_ips<'t>(&mut self, record: &Node, rtype: RecordType, span: &Span, texts: impl Iterator<Item = &'t str>) -> Option<Answers> {
        if rtype != RecordType::A {
            self.error(
                span,
                format!("{rtype} records cannot take an Elastic IP"),
                "Elastic IPs are IPv4 addresses: use a record of type A, or `value`",
            );
            return None;
        }
        let mut names: Vec<String> = texts.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        if names.iter().any(|name| name.trim().is_empty()) {
            self.error(span, "the name of an Elastic IP is empty", "name the Elastic IP by its `Name` tag");
            return None;
        }
        let aws = record.text("aws").or_else(|| self.zone.text("aws")).unwrap_or("aws").to_owned();
        if self.desired.aws(&aws).is_none() {
            let help = "declare provider \"aws\" { region = … }, or name one with `aws = aws.NAME` in the record or the zone";
            self.error(span, format!("no provider \"{aws}\" is declared to look up Elastic IPs in"), help);
            return None;
        }
        Some(Answers::ElasticIps { aws, names })
    }
}
