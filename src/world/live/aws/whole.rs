//! A good answer must be there to its last tag.
//!
//! The SDK's XML reader takes the end of the bytes for the end of every open element, so that a list whose second half got lost
//! without breaking the connection's framing reads as a shorter list, and half a snapshot as one without a date. A missing
//! snapshot or address must never pass for an absent one.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Turns a successful answer whose document is not closed into an answer that cannot be read.
#[derive(Debug)]
pub(super) struct WholeAnswers;

#[dyn_dispatch_hint]
impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let whole = !response.status().is_success() || response.body().bytes().is_some_and(closed);
        if whole { Ok(()) } else { Err("the document breaks off".into()) }
    }
}

/// Whether the last tag closes the first element.
fn closed(document: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(document) else { return false };
    let mut openings = text.split('<').skip(1).filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()));
    let root = openings.next().map(|tag| tag.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next().unwrap_or_default());
    let last = text.trim_end().strip_suffix('>').and_then(|rest| rest.rsplit_once("</")).map(|(_, name)| name.trim_end());
    root.is_some() && root == last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_document_is_whole() {
        let whole = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><List><One>1</One></List></R>\n";
        assert!(closed(whole.as_bytes()));
        assert!(closed(b"<R></R >"));
        for length in 0..whole.len() - 1 {
            assert!(!closed(&whole.as_bytes()[..length]), "{}", &whole[..length]);
        }
        for not in ["", "<R/>", "no document", "<!-- R --></R>", "<R></Q>", "</R>"] {
            assert!(!closed(not.as_bytes()), "{not}");
        }
        assert!(!closed(b"<R>\xff</R>"));
    }
}
