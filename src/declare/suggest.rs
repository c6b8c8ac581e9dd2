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

/// A help sentence for a reference such as `aws.sidney`: what the references have in common says nothing, so only what stands behind the type counts.
#[must_use]
pub fn reference(name: &str, known: &[&str]) -> Option<String> {
    let rest = |text: &str| text.find(['.', '[']).unwrap_or(text.len());
    let behind = &name[rest(name)..];
    let near = nearest(behind.trim_start_matches('.'), known.iter().map(|known| known[rest(known)..].trim_start_matches('.')));
    if let Some(near) = near.and_then(|near| known.iter().find(|known| known[rest(known)..].trim_start_matches('.') == near)) {
        return Some(format!("did you mean `{near}`?"));
    }
    (1..=60).contains(&known.len()).then(|| format!("declared are: {}", known.join(", ")))
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

    #[test]
    fn references_are_compared_without_their_type() {
        let known = ["aws", "aws.sydney", "dns_zone[\"example.org\"]"];
        assert_eq!(reference("aws.sidney", &known).unwrap(), "did you mean `aws.sydney`?");
        assert_eq!(reference("dns_zone[\"exmaple.org\"]", &known).unwrap(), "did you mean `dns_zone[\"example.org\"]`?");
        assert_eq!(reference("database.xx", &["database.dev-db"]).unwrap(), "declared are: database.dev-db");
        assert_eq!(reference("database.xx", &[]), None);
    }
}
