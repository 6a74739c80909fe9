//! How the service says no.

use crate::testing::server::{Act, answer};

/// Status, name, what else the body holds.
pub(super) type No = (u16, &'static str, &'static str);

pub(super) const REFUSED: [No; 4] = [
    (400, "ConflictException", r#""Reason":"DESTINATION_PHONE_NUMBER_OPTED_OUT""#),
    (400, "ConflictException", r#""Reason":"DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE""#),
    (400, "ValidationException", r#""Fields":[{"Name":"DestinationPhoneNumber","Message":"not valid"}]"#),
    (
        400,
        "ValidationException",
        r#""Reason":"FIELD_VALIDATION_FAILED","Fields":[{"Name":"DestinationPhoneNumber","Message":"'+12025550143' is not valid"}]"#,
    ),
];
pub(super) const THROTTLED: [No; 4] = [
    (400, "ThrottlingException", r#""Message":"Rate exceeded""#),
    (400, "ServiceQuotaExceededException", r#""Reason":"DAILY_DESTINATION_CALL_LIMIT""#),
    (400, "TooManyRequestsException", r#""message":"""#),
    (429, "", ""),
];
pub(super) const SET_UP: [No; 23] = [
    (400, "ConflictException", r#""Reason":"DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION""#),
    // Of a country, whichever field it is told of: another provider may reach it.
    (
        400,
        "ValidationException",
        r#""Reason":"DESTINATION_COUNTRY_BLOCKED","Fields":[{"Name":"DestinationPhoneNumber","Message":"not enabled"}]"#,
    ),
    (400, "ValidationException", r#""Reason":"VOICE_CAPABILITY_NOT_AVAILABLE""#),
    (400, "ConflictException", r#""Reason":"DESTINATION_PHONE_NUMBER_NOT_VERIFIED""#),
    (400, "ConflictException", r#""Reason":"NO_ORIGINATION_IDENTITIES_FOUND""#),
    (400, "ConflictException", r#""Reason":"MESSAGE_TYPE_MISMATCH""#),
    (400, "ValidationException", r#""Reason":"DESTINATION_COUNTRY_BLOCKED""#),
    (400, "ValidationException", r#""Reason":"COUNTRY_CODE_MISMATCH""#),
    (400, "ValidationException", r#""Reason":"INTERNATIONAL_SENDING_NOT_SUPPORTED""#),
    (400, "ValidationException", r#""Reason":"INVALID_ARN""#),
    (400, "ValidationException", r#""Reason":"INVALID_IDENTITY_FOR_DESTINATION_COUNTRY""#),
    (400, "ValidationException", r#""Reason":"PRICE_OVER_THRESHOLD""#),
    (400, "ValidationException", r#""Reason":"RESOURCE_NOT_ACCESSIBLE""#),
    (400, "ValidationException", r#""Reason":"SENDER_ID_NOT_REGISTERED""#),
    (400, "ValidationException", r#""Reason":"SENDER_ID_NOT_SUPPORTED""#),
    (400, "ValidationException", r#""Reason":"SENDER_ID_REQUIRES_REGISTRATION""#),
    (400, "ResourceNotFoundException", r#""ResourceType":"configuration-set","ResourceId":"otp""#),
    (400, "ServiceQuotaExceededException", r#""Reason":"MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT""#),
    (400, "AccessDeniedException", r#""Reason":"ACCOUNT_DISABLED""#),
    (400, "UnrecognizedClientException", r#""message":"The security token included in the request is invalid.""#),
    (400, "InvalidSignatureException", ""),
    (400, "ExpiredTokenException", ""),
    (403, "", ""),
];
pub(super) const UNCERTAIN: [No; 6] = [
    (500, "InternalServerException", r#""RequestId":"1""#),
    (400, "ValidationException", r#""Reason":"CANNOT_PARSE""#),
    (400, "ValidationException", r#""Reason":"INVALID_PARAMETER","Fields":[{"Name":"MessageBody","Message":"too long"}]"#),
    (400, "ValidationException", r#""Fields":7"#),
    (400, "SomethingNewException", ""),
    (503, "", ""),
];

/// The name stands in the body, as this service sends it.
pub(super) fn no((status, name, rest): No) -> Act {
    let comma = if rest.is_empty() { "" } else { "," };
    let body = format!(r#"{{"__type":"com.amazonaws.pinpointsmsvoicev2#{name}"{comma}{rest}}}"#);
    answer(status, &[("content-type", "application/x-amz-json-1.0")], if name.is_empty() { "" } else { &body })
}
