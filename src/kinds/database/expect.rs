//! Whether an answer is what a check wants. Pure.

use std::cmp::Ordering;

use super::desired::Expect;
use crate::model::Json;

/// Why the answer is not as expected; none when it is.
#[must_use]
pub fn failed(answer: &Json, expect: &[Expect]) -> Option<String> {
    expect.iter().find_map(|wanted| {
        let (holds, words) = match wanted {
            Expect::Anything => (true, String::new()),
            Expect::Equals(value) => (equal(answer, value), format!("{} was expected", self::words(value))),
            Expect::AtLeast(value) => (compare(answer, value).is_some_and(Ordering::is_ge), format!("at least {} was expected", self::words(value))),
            Expect::AtMost(value) => (compare(answer, value).is_some_and(Ordering::is_le), format!("at most {} was expected", self::words(value))),
        };
        (!holds).then(|| format!("the answer is {}; {words}", self::words(answer)))
    })
}

/// An answer for people; long texts are cut.
#[must_use]
pub fn words(answer: &Json) -> String {
    let text = answer.as_str().map_or_else(|| answer.to_string(), |text| format!("\"{text}\""));
    if text.chars().count() > 200 { format!("{}…", text.chars().take(200).collect::<String>()) } else { text }
}

fn equal(answer: &Json, wanted: &Json) -> bool {
    answer == wanted || compare(answer, wanted) == Some(Ordering::Equal) || bool_of(answer).is_some_and(|b| Some(b) == bool_of(wanted))
}

/// A bool, or the server's text for one.
fn bool_of(value: &Json) -> Option<bool> {
    match (value.as_bool(), value.as_str()) {
        (Some(b), _) => Some(b),
        (_, Some("t" | "true")) => Some(true),
        (_, Some("f" | "false")) => Some(false),
        _ => None,
    }
}

/// Numbers, exact where both are whole; a `numeric` arrives as text.
fn compare(answer: &Json, wanted: &Json) -> Option<Ordering> {
    let whole = |value: &Json| value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from)).or_else(|| value.as_str()?.parse().ok());
    if let (Some(answer), Some(wanted)) = (whole(answer), whole(wanted)) {
        return Some(answer.cmp(&wanted));
    }
    let float = |value: &Json| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    float(answer)?.partial_cmp(&float(wanted)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_compared_as_people_mean_it() {
        for (answer, expect) in [
            (json!(0), Expect::Equals(json!(0))),
            (json!("0"), Expect::Equals(json!(0))),
            (json!("12.50"), Expect::Equals(json!(12.5))),
            (json!(true), Expect::Equals(json!(true))),
            (json!("t"), Expect::Equals(json!(true))),
            (json!("x"), Expect::Equals(json!("x"))),
            (json!(1_000_000), Expect::AtLeast(json!(1_000_000))),
            (json!(9_007_199_254_740_993_i64), Expect::AtLeast(json!(9_007_199_254_740_993_i64))),
            (json!(3), Expect::AtMost(json!(3.5))),
            (json!(null), Expect::Anything),
        ] {
            assert_eq!(failed(&answer, std::slice::from_ref(&expect)), None, "{answer} {expect:?}");
        }
        for (answer, expect) in [
            (json!(1), Expect::Equals(json!(0))),
            (json!(null), Expect::Equals(json!(0))),
            (json!("many"), Expect::AtLeast(json!(1))),
            (json!(9_007_199_254_740_992_i64), Expect::AtLeast(json!(9_007_199_254_740_993_i64))),
        ] {
            assert!(failed(&answer, std::slice::from_ref(&expect)).is_some(), "{answer} {expect:?}");
        }
    }
}
