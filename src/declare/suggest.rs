//! "Did you mean …?"

/// The known name that is most like `name`, if one is like it at all.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // Comparing is quadratic in the length of the names, and nobody misspells a name of this length.
    if name.len() > 100 {
        return None;
    }
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= 100)
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A help sentence: the nearest name, else all of them, else `otherwise`.
#[must_use]
pub fn help<'n>(name: &str, known: impl IntoIterator<Item = &'n str>, otherwise: &str) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    if known.is_empty() || known.len() > 60 {
        return otherwise.to_owned();
    }
    format!("known here: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_nothing_far_fetched() {
        let known = ["instance_class", "allocated_storage", "multi_az"];
        assert_eq!(nearest("instnace_class", known), Some("instance_class"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(help("multi_ax", known, ""), "did you mean `multi_az`?");
        assert_eq!(help("zzz", known, ""), "known here: instance_class, allocated_storage, multi_az");
        assert_eq!(help("zzz", [], "write it out"), "write it out");
    }
}
