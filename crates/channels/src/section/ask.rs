use reqwest::{RequestBuilder, Url};

use crate::http::{self, Reply};
use crate::provider::CheckError;
use crate::tls::is_tls;

/// Asks for something that changes nothing, for a check.
pub(crate) async fn ask(request: RequestBuilder, url: &Url) -> Result<Reply, CheckError> {
    let address = http::address(url);
    match request.send().await {
        Ok(response) => {
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Reply { status, headers, body: http::read(response).await })
        }
        Err(error) if is_tls(&error) => Err(CheckError::Tls { address }),
        Err(_) => Err(CheckError::Unreachable { address }),
    }
}
