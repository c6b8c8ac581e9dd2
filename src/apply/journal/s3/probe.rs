//! Asks a server before the first write whether it keeps the one promise that everything here rests on: that `If-None-Match: *` writes an object
//! only where none is. One that ignores the header would let two runs write the same record, and neither would know.

use super::bucket::{Bucket, Put};
use super::layout::Layout;
use super::object::nonce;
use crate::model::{Error, Exit, Result};

/// Writes one name twice: the second must be refused, and the first must stand.
pub async fn check(bucket: &Bucket, layout: &Layout) -> Result<()> {
    let key = layout.probe(&nonce());
    let (first, second) = (format!("first {}", nonce()), format!("second {}", nonce()));
    let made = bucket.put_new(&key, first.as_bytes(), false).await?;
    let again = bucket.put_new(&key, second.as_bytes(), false).await?;
    bucket.remove(std::slice::from_ref(&key)).await;
    match (made, again) {
        (Put::Made, Put::Taken(found)) if found == first.as_bytes() => Ok(()),
        (_, Put::Made) => Err(unfit(bucket, "a second write of one object was not refused")),
        _ => Err(unfit(bucket, "an object that was just written holds something else")),
    }
}

fn unfit(bucket: &Bucket, why: &str) -> Error {
    let help = "nothing was done; keep the journal in a store with conditional writes (Amazon S3 has them), in postgres://, or in `local`";
    Error::new(Exit::Error, format!("the server of the journal {} does not honour `If-None-Match: *`", bucket.place), help).because_text(why)
}
