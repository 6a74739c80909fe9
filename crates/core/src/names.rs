//! What a session is found by besides its id, in the dialects that look for it otherwise.

use countersign_model::{Dialect, Mode, Recipient, Service, ServiceId, TenantId};
use countersign_session::{Fingerprint, Names};

use crate::platform::Platform;
use crate::send::Send;

impl Platform {
    /// The names of a session about to be opened.
    pub(crate) fn names(&self, tenant: TenantId, mode: Mode, service: &Service, command: &Send) -> Names {
        let Some(recipient) = command.channels.first().map(|asked| &asked.recipient) else { return Names::default() };
        match command.dialect {
            Dialect::Antryk => {
                let slot = command.service.map(|service| self.slot_name(tenant, mode, service, recipient));
                Names { slot, ..Names::default() }
            }
            Dialect::GetOtp => {
                let shared = self.recipient_name(tenant, mode, command.dialect, "", recipient);
                Names { recipient: Some(shared), by_code: service.allow_code_only_check, ..Names::default() }
            }
            Dialect::Native | Dialect::Kotp if command.replaces => {
                let shared = self.recipient_name(tenant, mode, command.dialect, &command.purpose, recipient);
                Names { recipient: Some(shared), ..Names::default() }
            }
            Dialect::Native | Dialect::Kotp => Names::default(),
        }
    }

    /// What one living session of a service and a recipient may hold.
    pub(crate) fn slot_name(&self, tenant: TenantId, mode: Mode, service: ServiceId, recipient: &Recipient) -> Fingerprint {
        let (tenant, service) = (tenant.bits().to_be_bytes(), service.bits().to_be_bytes());
        self.keys.fingerprint(&[b"slot", &tenant, mode.as_str().as_bytes(), &service, recipient.normalised().as_bytes()])
    }

    /// What the sessions of a dialect and a recipient share, those of one purpose where one is named.
    pub(crate) fn recipient_name(
        &self,
        tenant: TenantId,
        mode: Mode,
        dialect: Dialect,
        purpose: &str,
        recipient: &Recipient,
    ) -> Fingerprint {
        let (tenant, to) = (tenant.bits().to_be_bytes(), recipient.normalised());
        let parts = [mode.as_str(), dialect.as_str(), purpose, &to].map(str::as_bytes);
        self.keys.fingerprint(&[b"recipient", &tenant, parts[0], parts[1], parts[2], parts[3]])
    }
}
