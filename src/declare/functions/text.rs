//! Text.

use super::{Function, Outcome, Wrong, int, list, room_for, text, texts};
use crate::declare::eval::convert;
use crate::model::Value;

pub(super) const TABLE: &[Function] = &[
    Function::new("lower", 1, Some(1), "(text)", "the text in lower case", |a| Ok(Value::String(text(a, 0)?.to_lowercase()))),
    Function::new("upper", 1, Some(1), "(text)", "the text in upper case", |a| Ok(Value::String(text(a, 0)?.to_uppercase()))),
    Function::new("title", 1, Some(1), "(text)", "each word with a capital first letter", title),
    Function::new("trimspace", 1, Some(1), "(text)", "the text without white space at its ends", |a| {
        Ok(Value::String(text(a, 0)?.trim().to_owned()))
    }),
    Function::new("trim", 2, Some(2), "(text, characters)", "the text without these characters at its ends", trim),
    Function::new("trimprefix", 2, Some(2), "(text, prefix)", "the text without this beginning", trim_prefix),
    Function::new("trimsuffix", 2, Some(2), "(text, suffix)", "the text without this end", trim_suffix),
    Function::new("chomp", 1, Some(1), "(text)", "the text without line ends at its end", |a| {
        Ok(Value::String(text(a, 0)?.trim_end_matches(['\n', '\r']).to_owned()))
    }),
    Function::new("replace", 3, Some(3), "(text, part, other)", "the text with every such part replaced", replace),
    Function::new("split", 2, Some(2), "(separator, text)", "the parts between separators", split),
    Function::new("join", 2, None, "(separator, list…)", "the elements with separators between them", join),
    Function::new("substr", 3, Some(3), "(text, offset, length)", "a part, counted in characters; length -1 is to the end", substr),
    Function::new("startswith", 2, Some(2), "(text, prefix)", "whether it begins so", |a| Ok(Value::Bool(text(a, 0)?.starts_with(&text(a, 1)?)))),
    Function::new("endswith", 2, Some(2), "(text, suffix)", "whether it ends so", |a| Ok(Value::Bool(text(a, 0)?.ends_with(&text(a, 1)?)))),
    Function::new("strcontains", 2, Some(2), "(text, part)", "whether this is in it", |a| Ok(Value::Bool(text(a, 0)?.contains(&text(a, 1)?)))),
    Function::new("strrev", 1, Some(1), "(text)", "the text backwards", |a| Ok(Value::String(text(a, 0)?.chars().rev().collect()))),
    Function::new("indent", 2, Some(2), "(spaces, text)", "all lines but the first moved to the right", indent),
    Function::new("basename", 1, Some(1), "(path)", "the last part of a path", |a| {
        let path = text(a, 0)?;
        Ok(Value::String(path.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned()))
    }),
    Function::new("dirname", 1, Some(1), "(path)", "a path without its last part", |a| {
        let path = text(a, 0)?;
        let parent = path.trim_end_matches('/').rsplit_once('/').map_or(".", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        Ok(Value::String(parent.to_owned()))
    }),
];

fn title(args: &[Value]) -> Outcome {
    let mut begins = true;
    let mut result = String::new();
    for c in text(args, 0)?.chars() {
        if begins {
            result.extend(c.to_uppercase());
        } else {
            result.push(c);
        }
        begins = !c.is_alphanumeric() && c != '\'' && c != '_';
    }
    Ok(Value::String(result))
}

fn trim(args: &[Value]) -> Outcome {
    let cut = text(args, 1)?;
    Ok(Value::String(text(args, 0)?.trim_matches(|c| cut.contains(c)).to_owned()))
}

fn trim_prefix(args: &[Value]) -> Outcome {
    let whole = text(args, 0)?;
    Ok(Value::String(whole.strip_prefix(&text(args, 1)?).unwrap_or(&whole).to_owned()))
}

fn trim_suffix(args: &[Value]) -> Outcome {
    let whole = text(args, 0)?;
    Ok(Value::String(whole.strip_suffix(&text(args, 1)?).unwrap_or(&whole).to_owned()))
}

fn replace(args: &[Value]) -> Outcome {
    let (whole, part, other) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    if part.len() > 1 && part.starts_with('/') && part.ends_with('/') {
        return Err(Wrong { argument: Some(1), what: "regular expressions are not supported".to_owned() });
    }
    let count = whole.matches(&part).count();
    room_for(whole.len().saturating_add(count.saturating_mul(other.len())))?;
    Ok(Value::String(whole.replace(&part, &other)))
}

fn split(args: &[Value]) -> Outcome {
    let (separator, whole) = (text(args, 0)?, text(args, 1)?);
    let part = |part: &str| Value::String(part.to_owned());
    Ok(Value::List(if separator.is_empty() {
        whole.chars().map(|c| Value::String(c.into())).collect()
    } else {
        whole.split(&separator).map(part).collect()
    }))
}

fn join(args: &[Value]) -> Outcome {
    let separator = text(args, 0)?;
    let mut parts = Vec::new();
    for n in 1..args.len() {
        parts.extend(texts(args, n)?);
    }
    room_for(parts.iter().map(|part| part.len() + separator.len()).sum())?;
    Ok(Value::String(parts.join(&separator)))
}

fn substr(args: &[Value]) -> Outcome {
    let chars: Vec<char> = text(args, 0)?.chars().collect();
    let (offset, length) = (int(args, 1)?, int(args, 2)?);
    let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 { count.saturating_add(offset).max(0) } else { offset.min(count) };
    let end = if length < 0 { count } else { start.saturating_add(length).min(count) };
    let place = |n: i64| usize::try_from(n).unwrap_or(0);
    Ok(Value::String(chars[place(start)..place(end)].iter().collect()))
}

fn indent(args: &[Value]) -> Outcome {
    let (spaces, whole) = (int(args, 0)?, text(args, 1)?);
    let spaces = usize::try_from(spaces).ok().filter(|n| *n <= 1_000).ok_or("between 0 and 1000 spaces are possible")?;
    let lines = whole.matches('\n').count();
    room_for(whole.len().saturating_add(lines.saturating_mul(spaces)))?;
    Ok(Value::String(whole.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

/// `length` counts characters, elements or entries.
pub(super) fn length(args: &[Value]) -> Outcome {
    match super::arg(args, 0) {
        Value::String(whole) => Ok(convert::index(whole.chars().count())),
        Value::Map(entries) => Ok(convert::index(entries.len())),
        _ => Ok(convert::index(list(args, 0)?.len())),
    }
}
