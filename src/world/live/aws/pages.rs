//! Reading page after page, to a limit, and never in circles.

use super::error;
use crate::world::CallResult;

/// Pages of one read. At a hundred entries a page that is more than an account may hold.
const PAGE_LIMIT: usize = 100;

/// Collects the entries of all pages. `fetch` gets the marker of the wanted page and gives its entries and the next page's marker.
///
/// # Errors
/// Those of `fetch`; and an answer that repeats its marker or never ends counts as unreadable, since what is missing is not absent.
pub(super) async fn all<T, F>(call: &str, mut fetch: impl FnMut(Option<String>) -> F) -> CallResult<Vec<T>>
where
    F: Future<Output = CallResult<(Vec<T>, Option<String>)>>,
{
    let (mut entries, mut marker) = (Vec::new(), None);
    for _ in 0..PAGE_LIMIT {
        let (page, next) = fetch(marker.clone()).await?;
        entries.extend(page);
        match next.filter(|next| !next.is_empty()) {
            None => return Ok(entries),
            next if next == marker => return Err(error::unreadable(call, "it names the same next page again")),
            next => marker = next,
        }
    }
    Err(error::unreadable(call, &format!("it has more than {PAGE_LIMIT} pages")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Failure;

    #[tokio::test]
    async fn pages_are_read_to_the_end() {
        let read = all("rds:DescribeDBSnapshots", async |marker: Option<String>| {
            let page: usize = marker.map_or(0, |marker| marker.parse().unwrap());
            Ok((vec![page * 2, page * 2 + 1], (page < 2).then(|| (page + 1).to_string())))
        });
        assert_eq!(read.await.unwrap(), [0, 1, 2, 3, 4, 5]);
    }

    #[tokio::test]
    async fn pages_that_never_end_are_an_error() {
        let same = all("x", async |_| Ok((vec![0], Some("again".to_owned())))).await;
        assert!(same.unwrap_err().message.contains("the same next page"));
        let mut count = 0;
        let endless = all("x", |_| {
            count += 1;
            let next = count.to_string();
            async move { Ok((vec![0], Some(next))) }
        });
        let error = endless.await.unwrap_err();
        assert!(error.message.contains("more than 100 pages"));
        assert_eq!(error.failure, Failure::Unknown { retry_after: None });
    }
}
