//! What the framework alone costs: reads a body, answers a fixed one.

use std::io::{self, Write};

use actix_web::{App, HttpResponse, HttpServer, web};

/// Makes this binary be the floor instead of the bench.
pub(crate) const ARGUMENT: &str = "floor";

/// As long as a reply to a send.
const REPLY: &str = r#"{"success":true,"session_token":"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789","session_id":"ses_01KEZZZZZZZZZZZZZZZZZZZZZZ","channels_sent":{"email":{"success":true,"message_id":"msg_sandbox_01KEZZZZZZZZZZZZZZZZZZZZZZ"}},"expires_at":"2026-01-15T10:55:00.000Z","resend_after":"2026-01-15T10:45:30.000Z","verification_mode":"any","attempts_remaining":3,"message":"OTP sent","config":{"otp_length":6,"expiry_minutes":10,"max_attempts":3},"sandbox":true,"sandbox_otps":{"email":"482913"},"data":{}}"#;

/// Prints its address as the product does, and serves until killed.
pub(crate) fn serve() -> io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let answer = |_: web::Bytes| async { HttpResponse::Ok().content_type("application/json").body(REPLY) };
        let server = HttpServer::new(move || App::new().default_service(web::to(answer))).bind(("127.0.0.1", 0))?;
        writeln!(io::stdout(), "{{\"api\":\"http://{}\"}}", server.addrs()[0])?;
        server.run().await
    })
}
