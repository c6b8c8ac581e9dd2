//! The AWS doors at an endpoint that gives credentials back, and at one in plain text on what is another machine as far as its address says.

use switchover::world::live::aws::{self, AwsDoors};
use switchover::world::provider::AwsProvider;
use switchover::world::{CallError, Failure};

use super::canary::{TOKEN, echo};
use super::doors::clean;
use crate::services::http_server::{HttpServer, Incoming, Reply};
use crate::services::moto::Moto;

const WHO: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                   <Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
                   </GetCallerIdentityResponse>";

/// Says who is asking, until `knows_nobody`; everything else fails with this status and these words.
fn endpoint(status: u16, words: String, knows_nobody: bool) -> HttpServer {
    HttpServer::start(move |request: &Incoming| {
        let who = !knows_nobody && String::from_utf8_lossy(&request.body).contains("GetCallerIdentity");
        let text = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let refusal = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>C{text}</Code><Message>{text}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        );
        let (status, body) = if who { (200, WHO.to_owned()) } else { (status, refusal) };
        Reply::Full { status, headers: vec![("content-type", "text/xml".to_owned())], body: body.into_bytes() }
    })
}

async fn asked(provider: &AwsProvider) -> Result<(), CallError> {
    let doors = AwsDoors::with_keys("AKIDEXAMPLE", TOKEN);
    aws::rds(provider, &doors).await?.instances().await?;
    aws::ec2(provider, &doors).await?.elastic_ips().await?;
    Ok(())
}

#[tokio::test]
async fn aws_may_say_the_credentials() {
    for status in [400, 403, 500] {
        for knows_nobody in [false, true] {
            for words in [echo(TOKEN), TOKEN.to_owned(), format!("{}{TOKEN}", "x".repeat(280))] {
                let server = endpoint(status, words, knows_nobody);
                let error = asked(&Moto::provider(&server.url("/"), "us-east-1")).await.unwrap_err();
                clean(&error);
                assert!(error.message.contains("(secret)"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn aws_is_sent_nothing_in_plain_text_on_another_machine() {
    let server = endpoint(400, "seen".to_owned(), false);
    // No address of the loopback, though the system takes it for this machine: so a byte that went out would be seen.
    let mut provider = Moto::provider(&format!("http://0.0.0.0:{}/", server.port), "us-east-1");
    let refused = asked(&provider).await.unwrap_err();
    assert!(refused.failure == Failure::Refused && refused.message.contains("https://"), "{refused}");
    assert!(server.requests().is_empty(), "nothing was sent");
    provider.allow_plain_http = true;
    assert!(asked(&provider).await.unwrap_err().message.contains("seen"));
    assert!(!server.requests().is_empty());
}
