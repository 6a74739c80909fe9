//! Forms: what stands in a reply that nobody can know beforehand.

use serde_json::Value;

/// Whether `value` has the form that is written as `<name>`. None: there is no such form.
pub fn fits(name: &str, value: &Value) -> Option<bool> {
    let text = |test: &dyn Fn(&str) -> bool| value.as_str().is_some_and(test);
    let (name, argument) = name.split_once(' ').unwrap_or((name, ""));
    Some(match name {
        "any" => true,
        "string" => value.is_string(),
        "text" => text(&|text| !text.is_empty()),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "bool" => value.is_boolean(),
        "uuid" => text(&is_uuid),
        // A K-OTP id.
        "otp-id" => text(&|text| text.strip_prefix("otp_").is_some_and(|hex| hex.len() >= 16 && hex.bytes().all(is_lower_hex))),
        // `<digits 6>`: a code of so many digits.
        "digits" => {
            text(&|text| text.len() == argument.parse().unwrap_or(text.len()) && text.bytes().all(|c| c.is_ascii_digit()))
        }
        "seconds" => text(&|text| is_like(text, "dddd-dd-ddTdd:dd:ddZ")),
        "millis" => text(&|text| is_like(text, "dddd-dd-ddTdd:dd:dd.dddZ")),
        "table-time" => text(&|text| is_like(text, "dddd-dd-dd dd:dd:dd")),
        // `<prefix msg_>`: an id of that kind.
        "prefix" => text(&|text| text.len() > argument.len() && text.starts_with(argument)),
        _ => return None,
    })
}

fn is_lower_hex(c: u8) -> bool {
    c.is_ascii_digit() || (b'a'..=b'f').contains(&c)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(is_lower_hex))
}

/// Whether `text` is `pattern` with a digit for each `d`.
fn is_like(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(c, wanted)| if wanted == b'd' { c.is_ascii_digit() } else { c == wanted })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_takes_its_own_and_nothing_else() {
        let uuid = json!("3fa85f64-5717-4562-b3fc-2c963f66afa6");
        let samples = [
            ("uuid", uuid.clone()),
            ("otp-id", json!("otp_1234567890abcdef")),
            ("digits 6", json!("123456")),
            ("seconds", json!("2024-01-15T10:30:00Z")),
            ("millis", json!("2025-08-18T06:28:58.962Z")),
            ("table-time", json!("2025-08-18 00:00:00")),
            ("integer", json!(7)),
            ("bool", json!(false)),
        ];
        for (form, _) in &samples {
            for (of, value) in &samples {
                assert_eq!(fits(form, value), Some(form == of), "{form} {value}");
            }
        }
        assert_eq!(fits("uuid", &json!("3FA85F64-5717-4562-B3FC-2C963F66AFA6")), Some(false));
        assert_eq!(fits("digits 4", &json!("123456")), Some(false));
        assert_eq!(fits("colour", &json!("red")), None);
    }
}
