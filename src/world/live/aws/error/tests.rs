use aws_sdk_rds::operation::describe_db_instances::DescribeDBInstancesError;
use aws_sdk_rds::operation::modify_db_instance::ModifyDBInstanceError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

const CALL: &str = "rds:ModifyDBInstance";

fn response(status: u16, headers: &[(&'static str, &'static str)]) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
    for (name, value) in headers {
        response.headers_mut().insert(*name, *value);
    }
    response
}

fn service(status: u16, code: &str, message: &str) -> CallError {
    let meta = ErrorMetadata::builder().code(code).message(message).build();
    let error = SdkError::service_error(ModifyDBInstanceError::generic(meta), response(status, &[]));
    from_sdk(CALL, &error)
}

#[test]
fn codes_say_what_is_known() {
    let unknown = Failure::Unknown { retry_after: None };
    let throttled = Failure::Throttled { retry_after: None };
    for (status, code, failure) in [
        (400, "Throttling", throttled),
        (503, "RequestLimitExceeded", throttled),
        (503, "ServiceUnavailable", unknown),
        (500, "InternalFailure", unknown),
        (404, "DBInstanceNotFound", Failure::NotFound),
        (404, "DBSubnetGroupNotFoundFault", Failure::NotFound),
        (400, "InvalidAddress.NotFound", Failure::NotFound),
        (500, "DBInstanceNotFound", unknown),
        (400, "DBInstanceAlreadyExists", Failure::Refused),
        (400, "InvalidDBInstanceState", Failure::Busy),
        (403, "ExpiredToken", Failure::Denied),
        (403, "InvalidClientTokenId", Failure::Denied),
        (403, "SignatureDoesNotMatch", Failure::Denied),
        (403, "AccessDenied", Failure::Denied),
        (400, "UnrecognizedClientException", Failure::Denied),
    ] {
        let error = service(status, code, "words");
        assert_eq!((error.failure, error.code.as_deref()), (failure, Some(code)), "{code}");
        assert_eq!(error.message, "words");
    }
}

#[test]
fn an_answer_without_a_code_is_judged_by_its_status_and_never_means_absent() {
    for (status, failure) in [
        (404, Failure::Refused),
        (401, Failure::Denied),
        (403, Failure::Denied),
        (408, Failure::Unknown { retry_after: None }),
        (429, Failure::Throttled { retry_after: None }),
        (200, Failure::Unknown { retry_after: None }),
        (302, Failure::Unknown { retry_after: None }),
        (502, Failure::Unknown { retry_after: None }),
    ] {
        let empty = ErrorMetadata::builder().build();
        let error = from_sdk(CALL, &SdkError::service_error(DescribeDBInstancesError::generic(empty), response(status, &[])));
        assert_eq!(error.failure, failure, "{status}");
        assert_eq!(error.code, Some(status.to_string()));
    }
}

#[test]
fn retry_after_is_read_and_bounded() {
    let after = |value| retry_after(&response(503, &[("retry-after", value)]));
    assert_eq!(after("7"), Some(Duration::from_secs(7)));
    assert_eq!(after("99999999999"), Some(RETRY_AFTER_LIMIT));
    assert_eq!(after("soon"), None);
    let meta = ErrorMetadata::builder().code("Throttling").build();
    let error = SdkError::service_error(ModifyDBInstanceError::generic(meta), response(400, &[("retry-after", "7")]));
    assert_eq!(from_sdk(CALL, &error).retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn a_message_is_one_line_of_bounded_length() {
    let signature = "The request signature does not match.\n\nThe canonical string should have been\nx-amz-security-token:planted-token";
    assert_eq!(service(403, "SignatureDoesNotMatch", signature).message, "The request signature does not match.");
    let long = service(400, "InvalidParameterValue", &"ä".repeat(1_000)).message;
    assert_eq!(long.chars().count(), MESSAGE_LIMIT);
    assert!(!service(400, "X", "\u{1b}[31mred").message.contains('\u{1b}'));
}

#[test]
fn an_answer_that_breaks_off_and_a_silence_may_have_happened() {
    let unknown = Failure::Unknown { retry_after: None };
    let torn: SdkError<ModifyDBInstanceError, HttpResponse> = SdkError::response_error("unexpected end of file", response(200, &[]));
    assert_eq!(from_sdk(CALL, &torn).failure, unknown);
    let silence: SdkError<ModifyDBInstanceError, HttpResponse> = SdkError::timeout_error("too long");
    assert_eq!(from_sdk(CALL, &silence).failure, unknown);
    let reset: SdkError<ModifyDBInstanceError, HttpResponse> = SdkError::dispatch_failure(ConnectorError::io("connection reset".into()));
    let error = from_sdk(CALL, &reset);
    assert_eq!(error.failure, unknown);
    assert!(error.message.contains("connection reset"), "{}", error.message);
}

#[test]
fn what_was_never_sent_did_not_happen() {
    let built: SdkError<ModifyDBInstanceError, HttpResponse> = SdkError::construction_failure("no region");
    assert_eq!(from_sdk(CALL, &built).failure, Failure::Refused);
    let missing = CredentialsError::not_loaded("no providers in chain provided credentials");
    let denied: SdkError<ModifyDBInstanceError, HttpResponse> = SdkError::dispatch_failure(ConnectorError::other(Box::new(missing), None));
    let error = from_sdk(CALL, &denied);
    assert_eq!(error.failure, Failure::Denied);
    assert!(error.message.starts_with("no usable credentials"), "{}", error.message);
    // A lost network keeps temporary credentials from being renewed, and is waited for like any other loss of it.
    let timed_out = CredentialsError::provider_timed_out(std::time::Duration::from_secs(5));
    let refused = ConnectorError::io(std::io::Error::from(std::io::ErrorKind::NetworkUnreachable).into());
    for lost in [timed_out, CredentialsError::provider_error(refused)] {
        let lost: SdkError<ModifyDBInstanceError, HttpResponse> = SdkError::dispatch_failure(ConnectorError::other(Box::new(lost), None));
        assert_eq!(from_sdk(CALL, &lost).failure, Failure::Unreachable);
    }
}
