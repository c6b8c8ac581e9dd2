//! What the tables cannot say about a `database` block.

use super::connect::{IDENTIFIER, is_loopback};
use super::{due, names, sql};
use crate::declare::{Declared, Desired, Node};
use crate::model::time::Timestamp;
use crate::model::{Problem, Span, Value, guard};

/// All mistakes of one block.
#[must_use]
pub fn check(declared: &Declared, desired: &Desired) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name_span = declared.body.labels.first().map_or(&declared.body.span, |(_, span)| span);
    check_names(declared, desired, name_span, &mut problems);
    if let Some(refresh) = declared.body.block("refresh") {
        check_refresh(refresh, &mut problems);
    }
    check_settings(&declared.body, &mut problems);
    check_sql(&declared.body, &mut problems);
    problems
}

fn check_names(declared: &Declared, desired: &Desired, name_span: &Span, problems: &mut Vec<Problem>) {
    let name = &declared.address.name;
    if let Err(why) = names::instance(name) {
        problems.push(Problem::error(
            name_span,
            format!("`{name}` cannot be an RDS instance: it {why}"),
            "name the block after the instance's identifier",
        ));
        return;
    }
    let refresh = declared.body.block("refresh");
    let mut all = vec![(name.clone(), name_span.clone())];
    for (attribute, suffix) in [("next_name", "next"), ("old_name", "old")] {
        let Some(block) = refresh else { break };
        let (other, span) = match block.attr(attribute).and_then(|attr| Some((attr.value.as_str()?, &attr.span))) {
            Some((text, span)) => (text.to_owned(), span.clone()),
            None => (format!("{name}-{suffix}"), name_span.clone()),
        };
        // A declared one was checked by its table.
        if block.attr(attribute).is_none()
            && let Err(why) = names::instance(&other)
        {
            let help = format!("set {attribute} to a shorter name");
            problems.push(Problem::error(name_span, format!("`{other}`, the default of {attribute}, {why}"), help));
        }
        if all.iter().any(|(known, _)| *known == other) {
            problems.push(Problem::error(
                &span,
                format!("{attribute} is `{other}`, which is taken"),
                "the instance, next_name and old_name need three different names",
            ));
        }
        all.push((other, span));
    }
    for (instance, span) in &all {
        if let Some(word) = guard::protected(&desired.protect, instance) {
            let summary = format!("the environment protects `{word}`, and this would write `{instance}`");
            problems.push(Problem::error(span, summary, "choose another name; nothing whose name holds a protected word is ever written"));
        }
    }
    let source = refresh.and_then(|block| block.attr("snapshot_of"));
    if let Some(attr) = source
        && let Some((taken, _)) = all.iter().find(|(instance, _)| attr.value.as_str() == Some(instance))
    {
        problems.push(Problem::error(
            &attr.span,
            format!("`{taken}` cannot be refreshed from its own snapshots"),
            "name the instance that the data comes from",
        ));
    }
}

fn check_refresh(block: &Node, problems: &mut Vec<Problem>) {
    let (schedule, max_age) = (block.attr("schedule"), block.attr("max_age"));
    if let (Some(_), Some(age)) = (schedule, max_age) {
        problems.push(Problem::error(&age.key, "both `schedule` and `max_age`", "keep the one that says when the data is too old"));
    }
    if schedule.is_none() && max_age.is_none() {
        problems.push(Problem::warning(
            &block.span,
            "this database is never due by itself",
            "set `schedule` or `max_age`, or refresh it with --refresh",
        ));
    }
    let zone = block.text("timezone").unwrap_or("UTC");
    if let Some(attr) = block.attr("timezone") {
        if jiff::tz::TimeZone::get(zone).is_err() {
            problems.push(Problem::error(&attr.span, format!("`{zone}` is not a time zone"), "use a name such as UTC or Europe/Paris"));
            return;
        }
        if schedule.is_none() {
            problems.push(Problem::warning(&attr.key, "`timezone` has no effect without `schedule`", "remove it"));
        }
    }
    if let Some(attr) = schedule
        && let Some(text) = attr.value.as_str().filter(|text| !due::is_word(text))
        && let Err(why) = due::next_tick(text, zone, Timestamp::UNIX_EPOCH)
    {
        problems.push(Problem::error(&attr.span, why, "use hourly, daily, weekly, monthly, yearly or five cron fields such as \"0 3 * * 1\""));
    }
}

fn check_settings(body: &Node, problems: &mut Vec<Problem>) {
    if let (Some(least), Some(most), Some(attr)) =
        (body.int("allocated_storage"), body.int("max_allocated_storage"), body.attr("max_allocated_storage"))
        && most <= least
    {
        problems.push(Problem::error(
            &attr.span,
            "max_allocated_storage is not above allocated_storage",
            "raise it, or remove it to turn autoscaling off",
        ));
    }
    if body.bool("multi_az") == Some(true)
        && let Some(attr) = body.attr("availability_zone")
    {
        problems.push(Problem::error(&attr.key, "availability_zone with multi_az", "RDS chooses the zones of a multi-AZ instance: remove it"));
    }
    if let Some(attr) = body.attr("storage_type").filter(|attr| matches!(attr.value.as_str(), Some("io1" | "io2")))
        && body.attr("iops").is_none()
    {
        let summary = format!("storage_type {} without iops", attr.value.as_str().unwrap_or_default());
        problems.push(Problem::warning(&attr.span, summary, "name iops, unless the instance that is replaced has them"));
    }
    if body.int("monitoring_interval").is_some_and(|seconds| seconds > 0) && body.attr("monitoring_role_arn").is_none() {
        let span = body.attr("monitoring_interval").map_or(&body.span, |attr| &attr.span);
        problems.push(Problem::warning(
            span,
            "monitoring_interval without monitoring_role_arn",
            "name the role, unless the instance that is replaced has one",
        ));
    }
}

fn check_sql(body: &Node, problems: &mut Vec<Problem>) {
    let connect = body.block("connect");
    if let Some(block) = connect {
        check_host(block, problems);
    }
    for block in body.blocks.iter().filter(|block| matches!(block.spec.name, "scrub" | "check")) {
        if connect.is_none() {
            let summary = format!("`{}` needs a `connect` block", block.spec.name);
            problems.push(Problem::error(&block.span, summary, "say with which user, password and database it connects"));
        }
        if body.block("refresh").is_none() {
            let summary = format!("`{}` has no effect without a `refresh` block", block.spec.name);
            problems.push(Problem::warning(&block.span, summary, "add `refresh`, or remove it"));
        }
    }
    if let Some(block) = body.block("scrub") {
        check_scrub(block, problems);
    }
    for block in body.blocks("check") {
        let expectations = ["equals", "at_least", "at_most"].iter().filter(|name| block.attr(name).is_some()).count();
        let both_bounds = expectations == 2 && block.attr("equals").is_none();
        if expectations != 1 && !both_bounds {
            problems.push(Problem::error(&block.span, "a check needs one expectation", "set equals, or at_least, or at_most (or both bounds)"));
        }
        if let Some(attr) = block.attr("sql") {
            if let Some(text) = attr.value.as_str() {
                check_script(text, &attr.span, problems);
            } else {
                problems.push(not_text(&attr.span));
            }
        }
    }
}

fn check_host(block: &Node, problems: &mut Vec<Problem>) {
    let Some(attr) = block.attr("host") else { return };
    let Some(host) = attr.value.as_str().filter(|host| !host.contains(IDENTIFIER)) else { return };
    if is_loopback(host) {
        let help = "make sure that the tunnel leads to the new instance before anything is scrubbed";
        problems.push(Problem::warning(&attr.span, format!("`{host}` is the same for every instance"), help));
    } else {
        let help = format!("write {IDENTIFIER} where the instance's name stands in it, or leave host out to use its endpoint");
        problems.push(Problem::error(&attr.span, format!("`{host}` could lead a scrub to the wrong instance"), help));
    }
}

fn check_scrub(block: &Node, problems: &mut Vec<Problem>) {
    if let Some(attr) = block.attr("sql") {
        let items = if let Value::List(items) = &attr.value { items.iter().collect() } else { vec![&attr.value] };
        for item in items {
            match item.as_str() {
                Some(text) => check_script(text, &attr.span, problems),
                None => problems.push(not_text(&attr.span)),
            }
        }
    }
    let empty = |name: &str| block.texts(name).is_none_or(|items| items.is_empty());
    if empty("truncate") && empty("sql") {
        problems.push(Problem::warning(&block.span, "this scrub does nothing", "name tables in `truncate` or statements in `sql`"));
    }
}

fn check_script(text: &str, span: &Span, problems: &mut Vec<Problem>) {
    if let Err(why) = sql::check(text) {
        problems.push(Problem::error(
            span,
            format!("this SQL cannot be run: {why}"),
            "each script must be plain statements that can run together in one transaction",
        ));
    }
}

fn not_text(span: &Span) -> Problem {
    Problem::error(span, "SQL cannot be made of secrets", "it stands in the plan for review: use plain text")
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
