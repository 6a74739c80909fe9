//! Where the operations live, by which methods they are called, and what a token needs for them.

use actix_web::http::Method;
use countersign_core::manage::AdminScope;

/// What can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    OpenApi,
    Docs,
    Info,
    Readiness,
    Providers,
    TestProvider,
    ListAudit,
    ListTokens,
    CreateToken,
    RevokeToken,
    ListTenants,
    CreateTenant,
    ShowTenant,
    UpdateTenant,
    ListKeys,
    CreateKey,
    RevokeKey,
    ListServices,
    CreateService,
    ShowService,
    UpdateService,
    DeleteService,
    ListTemplates,
    CreateTemplate,
    PreviewTemplate,
    ShowTemplate,
    UpdateTemplate,
    DeleteTemplate,
    ListVersions,
    ListSenders,
    CreateSender,
    UpdateSender,
    DeleteSender,
    ListEndpoints,
    CreateEndpoint,
    ShowEndpoint,
    UpdateEndpoint,
    DeleteEndpoint,
    RotateEndpoint,
    TestEndpoint,
    ListDeliveries,
    ShowDelivery,
    ReplayDelivery,
    ShowWallet,
    ListLedger,
    TopUp,
    Adjust,
    Rebuild,
    ShowSession,
    UnblockRecipient,
    ListPoison,
    RetryPoison,
    DeletePoison,
    ListDifferences,
    AcknowledgeDifference,
}

use Operation as O;

/// A path and the methods it knows.
#[derive(Debug)]
pub(crate) struct Route {
    /// Parts in braces are names that callers fill in.
    pub(super) template: &'static str,
    pub(super) operations: &'static [(Method, Operation)],
}

/// One line a path. Of two that fit, the first is meant: fixed words stand before names.
pub(super) static ROUTES: &[Route] = &[
    Route { template: "/admin/v1/openapi.json", operations: &[(Method::GET, O::OpenApi)] },
    Route { template: "/admin/v1/docs", operations: &[(Method::GET, O::Docs)] },
    Route { template: "/admin/v1/info", operations: &[(Method::GET, O::Info)] },
    Route { template: "/admin/v1/readiness", operations: &[(Method::GET, O::Readiness)] },
    Route { template: "/admin/v1/providers", operations: &[(Method::GET, O::Providers)] },
    Route { template: "/admin/v1/providers/{provider}/test", operations: &[(Method::POST, O::TestProvider)] },
    Route { template: "/admin/v1/audit", operations: &[(Method::GET, O::ListAudit)] },
    Route { template: "/admin/v1/tokens", operations: &[(Method::GET, O::ListTokens), (Method::POST, O::CreateToken)] },
    Route { template: "/admin/v1/tokens/{token}", operations: &[(Method::DELETE, O::RevokeToken)] },
    Route { template: "/admin/v1/tenants", operations: &[(Method::GET, O::ListTenants), (Method::POST, O::CreateTenant)] },
    Route {
        template: "/admin/v1/tenants/{tenant}",
        operations: &[(Method::GET, O::ShowTenant), (Method::PATCH, O::UpdateTenant)],
    },
    Route {
        template: "/admin/v1/tenants/{tenant}/keys",
        operations: &[(Method::GET, O::ListKeys), (Method::POST, O::CreateKey)],
    },
    Route { template: "/admin/v1/tenants/{tenant}/keys/{key}", operations: &[(Method::DELETE, O::RevokeKey)] },
    Route {
        template: "/admin/v1/tenants/{tenant}/services",
        operations: &[(Method::GET, O::ListServices), (Method::POST, O::CreateService)],
    },
    Route {
        template: "/admin/v1/tenants/{tenant}/services/{service}",
        operations: &[(Method::GET, O::ShowService), (Method::PATCH, O::UpdateService), (Method::DELETE, O::DeleteService)],
    },
    Route {
        template: "/admin/v1/tenants/{tenant}/templates",
        operations: &[(Method::GET, O::ListTemplates), (Method::POST, O::CreateTemplate)],
    },
    Route { template: "/admin/v1/tenants/{tenant}/templates/preview", operations: &[(Method::POST, O::PreviewTemplate)] },
    Route {
        template: "/admin/v1/tenants/{tenant}/templates/{template}",
        operations: &[(Method::GET, O::ShowTemplate), (Method::PATCH, O::UpdateTemplate), (Method::DELETE, O::DeleteTemplate)],
    },
    Route { template: "/admin/v1/tenants/{tenant}/templates/{template}/versions", operations: &[(Method::GET, O::ListVersions)] },
    Route {
        template: "/admin/v1/tenants/{tenant}/senders",
        operations: &[(Method::GET, O::ListSenders), (Method::POST, O::CreateSender)],
    },
    Route {
        template: "/admin/v1/tenants/{tenant}/senders/{sender}",
        operations: &[(Method::PATCH, O::UpdateSender), (Method::DELETE, O::DeleteSender)],
    },
    Route {
        template: "/admin/v1/tenants/{tenant}/webhooks",
        operations: &[(Method::GET, O::ListEndpoints), (Method::POST, O::CreateEndpoint)],
    },
    Route {
        template: "/admin/v1/tenants/{tenant}/webhooks/{webhook}",
        operations: &[(Method::GET, O::ShowEndpoint), (Method::PATCH, O::UpdateEndpoint), (Method::DELETE, O::DeleteEndpoint)],
    },
    Route { template: "/admin/v1/tenants/{tenant}/webhooks/{webhook}/rotate", operations: &[(Method::POST, O::RotateEndpoint)] },
    Route { template: "/admin/v1/tenants/{tenant}/webhooks/{webhook}/test", operations: &[(Method::POST, O::TestEndpoint)] },
    Route { template: "/admin/v1/tenants/{tenant}/deliveries", operations: &[(Method::GET, O::ListDeliveries)] },
    Route { template: "/admin/v1/tenants/{tenant}/deliveries/{delivery}", operations: &[(Method::GET, O::ShowDelivery)] },
    Route {
        template: "/admin/v1/tenants/{tenant}/deliveries/{delivery}/replay",
        operations: &[(Method::POST, O::ReplayDelivery)],
    },
    Route { template: "/admin/v1/tenants/{tenant}/wallet", operations: &[(Method::GET, O::ShowWallet)] },
    Route { template: "/admin/v1/tenants/{tenant}/wallet/lines", operations: &[(Method::GET, O::ListLedger)] },
    Route { template: "/admin/v1/tenants/{tenant}/wallet/credits", operations: &[(Method::POST, O::TopUp)] },
    Route { template: "/admin/v1/tenants/{tenant}/wallet/adjustments", operations: &[(Method::POST, O::Adjust)] },
    Route { template: "/admin/v1/tenants/{tenant}/wallet/rebuild", operations: &[(Method::POST, O::Rebuild)] },
    Route { template: "/admin/v1/tenants/{tenant}/sessions/{session}", operations: &[(Method::GET, O::ShowSession)] },
    Route { template: "/admin/v1/tenants/{tenant}/recipients/unblock", operations: &[(Method::POST, O::UnblockRecipient)] },
    Route { template: "/admin/v1/poison", operations: &[(Method::GET, O::ListPoison)] },
    Route { template: "/admin/v1/poison/{entry}", operations: &[(Method::DELETE, O::DeletePoison)] },
    Route { template: "/admin/v1/poison/{entry}/retry", operations: &[(Method::POST, O::RetryPoison)] },
    Route { template: "/admin/v1/wallet-differences", operations: &[(Method::GET, O::ListDifferences)] },
    Route {
        template: "/admin/v1/wallet-differences/{difference}/acknowledge",
        operations: &[(Method::POST, O::AcknowledgeDifference)],
    },
];

impl Route {
    /// The route that fits a path, and what the path fills its names with.
    pub(super) fn find(path: &str) -> Option<(&'static Self, Vec<&str>)> {
        let path = path.strip_suffix('/').unwrap_or(path);
        ROUTES.iter().find_map(|route| Some((route, route.names(path)?)))
    }

    fn names<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        let (mut names, mut parts) = (Vec::new(), path.split('/'));
        for expected in self.template.split('/') {
            let part = parts.next()?;
            if expected.starts_with('{') {
                names.push(Some(part).filter(|name| !name.is_empty())?);
            } else if part != expected {
                return None;
            }
        }
        parts.next().is_none().then_some(names)
    }

    /// The operation of a method; `HEAD` is a `GET` whose reply loses its body on the way out.
    pub(super) fn operation(&self, method: &Method) -> Option<Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.operations.iter().find(|(known, _)| known == method).map(|(_, operation)| *operation)
    }

    /// The methods that it knows, as `Allow` lists them.
    pub(super) fn allow(&self) -> String {
        let known = self.operations.iter().map(|(method, _)| if method == Method::GET { "GET, HEAD, " } else { method.as_str() });
        let listed = known.map(|name| if name.ends_with(' ') { name.to_owned() } else { format!("{name}, ") });
        listed.collect::<String>() + "OPTIONS"
    }
}

impl Operation {
    /// What a token needs for it; none: everybody may read it, it is the same in every installation.
    pub(super) const fn scope(self) -> Option<AdminScope> {
        match self {
            Self::OpenApi | Self::Docs => None,
            Self::Info
            | Self::Readiness
            | Self::Providers
            | Self::ListAudit
            | Self::ListTokens
            | Self::ListTenants
            | Self::ShowTenant
            | Self::ListKeys
            | Self::ListServices
            | Self::ShowService
            | Self::ListTemplates
            | Self::PreviewTemplate
            | Self::ShowTemplate
            | Self::ListVersions
            | Self::ListSenders
            | Self::ListEndpoints
            | Self::ShowEndpoint
            | Self::ListDeliveries
            | Self::ShowDelivery
            | Self::ShowWallet
            | Self::ListLedger
            | Self::ShowSession
            | Self::ListPoison
            | Self::ListDifferences => Some(AdminScope::Read),
            Self::CreateTenant
            | Self::UpdateTenant
            | Self::CreateService
            | Self::UpdateService
            | Self::DeleteService
            | Self::CreateTemplate
            | Self::UpdateTemplate
            | Self::DeleteTemplate
            | Self::CreateSender
            | Self::UpdateSender
            | Self::DeleteSender
            | Self::CreateEndpoint
            | Self::UpdateEndpoint
            | Self::DeleteEndpoint
            | Self::RotateEndpoint
            | Self::TestEndpoint
            | Self::ReplayDelivery
            | Self::UnblockRecipient
            | Self::TestProvider
            | Self::RetryPoison
            | Self::DeletePoison => Some(AdminScope::Write),
            Self::TopUp | Self::Adjust | Self::Rebuild | Self::AcknowledgeDifference => Some(AdminScope::Wallet),
            Self::CreateKey | Self::RevokeKey | Self::CreateToken | Self::RevokeToken => Some(AdminScope::Keys),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(&'static str, Vec<&str>)> {
        Route::find(path).map(|(route, names)| (route.template, names))
    }

    #[test]
    fn a_path_leads_to_its_route_with_what_it_names() {
        assert_eq!(found("/admin/v1/tenants/"), Some(("/admin/v1/tenants", vec![])));
        let keys = found("/admin/v1/tenants/default/keys/key_1");
        assert_eq!(keys, Some(("/admin/v1/tenants/{tenant}/keys/{key}", vec!["default", "key_1"])));
        let preview = found("/admin/v1/tenants/ten_1/templates/preview");
        assert_eq!(preview, Some(("/admin/v1/tenants/{tenant}/templates/preview", vec!["ten_1"])));
    }

    #[test]
    fn nothing_lives_beside_the_routes() {
        for path in
            ["/admin", "/admin/v1", "/admin/v2/tenants", "/admin/v1/tenants//keys", "/admin/v1/tenants/a/b", "/admin/v1/Tenants"]
        {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn whoever_looks_needs_less_than_whoever_changes() {
        for route in ROUTES {
            for (method, operation) in route.operations {
                let looks = matches!(operation.scope(), None | Some(AdminScope::Read));
                assert_eq!(
                    *method == Method::GET || *operation == Operation::PreviewTemplate,
                    looks,
                    "{method} {}",
                    route.template
                );
            }
        }
    }

    #[test]
    fn a_route_says_which_methods_it_knows() {
        let (route, _) = Route::find("/admin/v1/tenants/a/services/b").unwrap();
        assert_eq!(route.allow(), "GET, HEAD, PATCH, DELETE, OPTIONS");
        assert_eq!(route.operation(&Method::HEAD), Some(Operation::ShowService));
        assert_eq!(route.operation(&Method::PUT), None);
    }
}
