//! Getting what a notification points at.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Url};

use crate::http;

/// Gets small things over HTTPS. Tests put a shelf in its place.
#[async_trait]
pub(crate) trait Fetch: Send + Sync {
    /// What stands there; none: it cannot be had. The caller has looked at the address.
    async fn fetch(&self, url: &Url) -> Option<Vec<u8>>;
}

/// By the client of the house: it checks the other side's certificate and follows no redirect.
pub(crate) struct ByHttp {
    pub(crate) client: Client,
    /// For the whole of it.
    pub(crate) patience: Duration,
}

#[async_trait]
impl Fetch for ByHttp {
    async fn fetch(&self, url: &Url) -> Option<Vec<u8>> {
        let asked = async {
            let response = self.client.get(url.clone()).send().await.ok()?;
            if response.status().is_success() { Some(http::read(response).await) } else { None }
        };
        let body = tokio::time::timeout(self.patience, asked).await.ok()??;
        body.is_whole.then_some(body.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::SharedClient;
    use crate::testing::server::{Act, Server, answer};

    async fn fetched(act: Act) -> Option<Vec<u8>> {
        let server = Server::start(act).await;
        let client = SharedClient::new(Duration::from_secs(5)).get().unwrap();
        let url = Url::parse(&server.url("/SimpleNotificationService-1.pem?a=b%20c")).unwrap();
        let fetched = ByHttp { client, patience: Duration::from_secs(5) }.fetch(&url).await;
        if let Some(request) = server.requests().first() {
            assert_eq!(request.target(), "GET /SimpleNotificationService-1.pem?a=b%20c");
        }
        fetched
    }

    #[tokio::test]
    async fn only_a_whole_yes_is_something_fetched() {
        assert_eq!(fetched(answer(200, &[], "pem")).await, Some(b"pem".to_vec()));
        let half = Act::Reply("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npem".to_owned());
        let moved = answer(302, &[("location", "http://127.0.0.1:9/")], "pem");
        for act in [answer(404, &[], "pem"), answer(500, &[], ""), moved, half, Act::Cut] {
            assert_eq!(fetched(act).await, None);
        }
        assert_eq!(fetched(answer(200, &[], &"x".repeat(70_000))).await, None, "more than a certificate can be");
    }

    #[tokio::test]
    async fn who_never_answers_is_not_waited_for_for_ever() {
        let mute = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = SharedClient::new(Duration::from_secs(5)).get().unwrap();
        let url = Url::parse(&format!("http://{}/", mute.local_addr().unwrap())).unwrap();
        assert_eq!(ByHttp { client, patience: Duration::from_millis(20) }.fetch(&url).await, None);
    }
}
