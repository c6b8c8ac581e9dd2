//! temp
/// temp
#[must_use]
pub fn protected<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    words.iter().map(String::as_str).find(|word| name.to_lowercase().contains(&word.to_lowercase()))
}
