//! `POST /otp/resend`.

use countersign_core::Resend;

use super::{Input, handle, headers, recipients, send};
use crate::fields::Faults;

/// The fields of the call.
pub(super) const FIELDS: [&str; 4] = ["session_token", "token", "channels", "client_ip"];

/// Reads the whole call, and tells all that is wrong with it.
pub(crate) fn parse(input: &Input<'_>) -> Result<Resend, Faults> {
    let fields = input.fields();
    let mut faults = Faults::default();
    let handle = handle::token(&fields, &mut faults);
    let channels = fields.get("channels").map(|_| recipients::channels(&fields, &mut faults));
    let client_ip = send::client_ip(&fields, &mut faults);
    let idempotency = headers::idempotency(input, "otp/resend", &mut faults);
    if input.strict() {
        fields.only(&FIELDS, &mut faults);
    }
    faults.or(handle.map(|handle| Resend { handle, channels, client_ip, idempotency }))
}

#[cfg(test)]
mod tests {
    use countersign_model::Channel;
    use serde_json::json;

    use super::super::testing::{only_fault, parse_with};
    use super::*;

    #[test]
    fn channels_are_all_unless_named() {
        let resend = parse_with(&json!({"session_token": "t"}), &[], parse).unwrap();
        assert_eq!((resend.channels, resend.client_ip), (None, None));
        let body = json!({"session_token": "t", "channels": ["SMS"], "client_ip": "2001:db8::1"});
        let resend = parse_with(&body, &[("Idempotency-Key", "k")], parse).unwrap();
        assert_eq!(resend.channels, Some(vec![Channel::Sms]));
        assert_eq!(resend.client_ip.unwrap().to_string(), "2001:db8::1");
        assert_eq!(resend.idempotency.unwrap().path, "otp/resend");
    }

    #[test]
    fn what_it_cannot_use_is_named() {
        for (field, value) in [("channels", json!([])), ("channels", json!("sms")), ("client_ip", json!("here"))] {
            let body = json!({"session_token": "t", field: value});
            assert_eq!(only_fault(parse_with(&body, &[], parse)).0, field);
        }
        let twice = json!({"session_token": "t", "channels": ["sms", "Sms"]});
        assert_eq!(only_fault(parse_with(&twice, &[], parse)).0, "channels[1]");
        let strict = json!({"session_token": "t", "code": "1"});
        assert_eq!(only_fault(parse_with(&strict, &[("Prefer", "handling=strict")], parse)).1, "unknown_field");
    }
}
