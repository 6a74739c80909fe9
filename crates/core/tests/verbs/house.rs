//! A platform with a tenant, its keys and a service.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use countersign_channels::{ChannelsConfig, DeliveryConfig, House as Surroundings, ProvidersConfig, Router, Routes};
use countersign_core::manage::{KeyOrder, Order, ServiceDraft, TenantDraft};
use countersign_core::{
    BillingSettings, Caller, Directory, Guess, Guesses, Handle, LimitSettings, Metrics, Parts, Platform, Projector, Refusal,
    Send, SendError, Sent, Session, Settings, Tasks, Verified, Verify,
};
use countersign_model::{
    Channel, Clock, Dialect, KeyKind, KeyScope, LimitRules, ManualClock, OsRng, PhoneNumber, PriceList, Recipient, SeededRng,
    Service, ServiceId, ServiceProfile, TenantSettings, Timestamp,
};
use countersign_records::{Place, Records};
use countersign_session::store::MemoryStore;
use countersign_session::{CodeKeys, KeyMaterial, Proofs, SessionTokens};
use countersign_webhooks::WebhookSettings;
use serde_json::json;
use tempfile::TempDir;

use crate::gateway::Gateway;
use crate::meddler::Meddler;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_768_473_900_000);
pub(crate) const SMS: Channel = Channel::Sms;

/// For what is waited for in real time, whatever else the machine is busy with.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct House {
    pub(crate) platform: Arc<Platform>,
    pub(crate) clock: Arc<ManualClock>,
    /// What live text messages go to.
    pub(crate) gateway: Gateway,
    /// A caller with a live key.
    pub(crate) live: Caller,
    /// A caller with a test key.
    pub(crate) test: Caller,
    pub(crate) service: ServiceId,
    pub(crate) projector: Projector,
    /// What lasts, as another process would change it.
    pub(crate) records: Records,
    pub(crate) store: Arc<Meddler>,
    _folder: TempDir,
}

pub(crate) fn phone(last: u32) -> Recipient {
    Recipient::Phone(PhoneNumber::parse(&format!("+1202555{last:04}")).unwrap())
}

pub(crate) fn guess(text: &str) -> Guess {
    Guess::read(text).unwrap()
}

/// The one code of a sandbox session.
pub(crate) fn code(sent: &Sent) -> String {
    sent.codes.as_ref().unwrap().values().next().unwrap().expose().to_owned()
}

/// Six digits that are not this code.
pub(crate) fn other_than(code: &str) -> String {
    if code == "111111" { "222222".to_owned() } else { "111111".to_owned() }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(ServiceProfile::default()).await
    }

    pub(crate) async fn with(profile: ServiceProfile) -> Self {
        Self::build(profile, None, PATIENCE).await
    }

    /// One whose tenants pay these prices.
    pub(crate) async fn selling(prices: PriceList) -> Self {
        let billing = BillingSettings { currency: "USD".to_owned(), prices, low_balance: None };
        Self::build(ServiceProfile::default(), Some(billing), PATIENCE).await
    }

    /// One whose lists do not wait for the records.
    pub(crate) async fn hasty() -> Self {
        Self::build(ServiceProfile::default(), None, Duration::ZERO).await
    }

    async fn build(profile: ServiceProfile, billing: Option<BillingSettings>, history_wait: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let records = Records::open(Place::File(folder.path().join("records.db"))).await.unwrap();
        records.migrate().await.unwrap();
        let rng = Arc::new(SeededRng::new(7));
        let clock = Arc::new(ManualClock::new(START));
        let timed: Arc<dyn Clock> = clock.clone();
        let material = KeyMaterial::generate(&*rng, START);
        let keys = Arc::new(CodeKeys::open(&material).unwrap());
        let metrics = Arc::new(Metrics::default());
        let gateway = Gateway::spawn().await;
        let url = "http://localhost";
        let memory = MemoryStore::new(Arc::clone(&keys), Arc::clone(&timed), LimitSettings::default().budget);
        let store = Arc::new(Meddler::over(memory));
        let platform = Platform::new(Parts {
            store: store.clone(),
            router: Router::new(routes(&gateway, &timed), metrics.clone()),
            keys,
            tokens: Arc::new(SessionTokens::open(&material, url, "here").unwrap()),
            proofs: Arc::new(Proofs::open(&material, url).unwrap()),
            directory: Arc::new(Directory::new(records.snapshot().await.unwrap())),
            records: records.clone(),
            settings: Settings {
                public_url: url.to_owned(),
                default_service: Service::default(),
                services: Vec::new(),
                limits: LimitSettings::default(),
                lease: Duration::from_mins(1),
                billing,
                history_kept: None,
                contact_locale_wait: PATIENCE,
                history_wait,
            },
            clock: timed,
            rng,
            metrics,
            tasks: Tasks::on(tokio::runtime::Handle::current()),
            webhooks: WebhookSettings::default(),
        });
        let order = Order::from_terminal();
        let tenant =
            TenantDraft { name: "ann".to_owned(), email: None, plan: "standard".to_owned(), settings: TenantSettings::default() };
        let tenant = platform.create_tenant(&order, tenant).await.unwrap().record.id;
        let draft = ServiceDraft { name: "shop".to_owned(), profile, limits: LimitRules::default(), prices: None };
        let service = platform.create_service(&order, tenant, None, draft).await.unwrap().record.id;
        let mut secrets = Vec::new();
        for kind in [KeyKind::Live, KeyKind::Test] {
            let name = kind.as_str().to_owned();
            let wish = KeyOrder {
                tenant,
                kind,
                name,
                scope: KeyScope::Full,
                allowed_ips: Vec::new(),
                origins: Vec::new(),
                expires_at: None,
            };
            secrets.push(platform.create_key(&order, wish).await.unwrap().secret.unwrap());
        }
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let live = platform.authenticate(Some(&secrets[0]), here).await.unwrap();
        let test = platform.authenticate(Some(&secrets[1]), here).await.unwrap();
        let projector = platform.projector();
        Self { platform, clock, gateway, live, test, service, projector, records, store, _folder: folder }
    }

    /// A sandbox send of one text message.
    pub(crate) async fn sent(&self, dialect: Dialect, to: u32, with: impl FnOnce(&mut Send)) -> Result<Sent, SendError> {
        self.sent_by(&self.test, dialect, to, with).await
    }

    pub(crate) async fn sent_by(
        &self,
        caller: &Caller,
        dialect: Dialect,
        to: u32,
        with: impl FnOnce(&mut Send),
    ) -> Result<Sent, SendError> {
        let mut send = Send { service: Some(self.service), ..Send::to(dialect, SMS, phone(to)) };
        with(&mut send);
        self.platform.send(caller, send).await
    }

    pub(crate) async fn verify(&self, handle: Handle, text: &str) -> Result<Verified, Refusal> {
        let command = Verify { handle, guesses: Guesses::Unnamed(guess(text)), idempotency: None };
        self.platform.verify(&self.test, command).await
    }

    pub(crate) async fn status(&self, sent: &Sent) -> Session {
        self.platform.status(&self.test, &Handle::Id(sent.session.id())).await.unwrap()
    }

    /// A session of the live key, as it stands.
    pub(crate) async fn session(&self, session: &Session) -> Session {
        self.platform.status(&self.live, &Handle::Id(session.id())).await.unwrap()
    }

    /// Reads the whole log.
    pub(crate) async fn project(&self) {
        while self.projector.round().await.unwrap().more {}
    }
}

fn routes(gateway: &Gateway, clock: &Arc<dyn Clock>) -> Routes {
    let providers = json!({"gateway": {
        "kind": "http", "channels": ["sms"], "url": gateway.url,
        "json": "{\"to\": {{ to|tojson }}, \"text\": {{ text|tojson }}, \"from\": {{ sender|tojson }}}",
    }});
    let providers: ProvidersConfig = serde_json::from_value(providers).unwrap();
    let channels: ChannelsConfig = serde_json::from_value(json!({"sms": {"providers": ["gateway"]}})).unwrap();
    let house = Surroundings { clock: Arc::clone(clock), rng: Arc::new(OsRng), public_url: None };
    let seconds = PATIENCE.as_secs();
    let delivery = DeliveryConfig { try_timeout_seconds: seconds, deadline_seconds: seconds, ..DeliveryConfig::default() };
    Routes::build(&providers, &channels, delivery, &house).unwrap()
}
