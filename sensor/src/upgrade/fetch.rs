//! Downloads a program over HTTP(S), up to a bound. Its signature says whether it is the right one; TLS keeps others from looking.
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response, Uri, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// The program has a few megabytes.
const BYTES_MAX: usize = 64 << 20;
const TIME_MAX: Duration = Duration::from_secs(300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REDIRECTS_MAX: usize = 5;
/// Where distributions keep the authorities that they trust; the installation's own is trusted besides.
const BUNDLES: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// The file at `address`, an `https://` or `http://` URL. `authority` is the installation's own, in PEM.
pub async fn fetch(address: &str, authority: &str) -> Result<Vec<u8>, String> {
    let fetched = tokio::time::timeout(TIME_MAX, follow(address, authority)).await;
    fetched.unwrap_or_else(|_| Err(format!("not done within {} s", TIME_MAX.as_secs()))).map_err(|why| format!("{address}: {why}"))
}

async fn follow(address: &str, authority: &str) -> Result<Vec<u8>, String> {
    let mut uri = read(address)?;
    for _ in 0..=REDIRECTS_MAX {
        let response = get(&uri, authority).await?;
        if !response.status().is_redirection() {
            return body(response).await;
        }
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        uri = redirected(&uri, location)?;
    }
    Err(format!("more than {REDIRECTS_MAX} redirects"))
}

fn read(address: &str) -> Result<Uri, String> {
    let uri: Uri = address.parse().map_err(|error| format!("no address: {error}"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https" | "http"), Some(_)) => Ok(uri),
        _ => Err("a program is fetched from an https:// or http:// address".into()),
    }
}

/// A redirect is a whole address, or a path on the same host; never from https to http.
fn redirected(from: &Uri, location: &str) -> Result<Uri, String> {
    let absolute = if location.starts_with('/') && !location.starts_with("//") {
        format!("{}://{}{location}", from.scheme_str().unwrap_or_default(), from.authority().map_or("", |authority| authority.as_str()))
    } else {
        location.to_string()
    };
    let to = read(&absolute).map_err(|why| format!("redirected to `{location}`: {why}"))?;
    if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
        return Err(format!("redirected from https to `{location}`"));
    }
    Ok(to)
}

async fn get(uri: &Uri, authority: &str) -> Result<Response<hyper::body::Incoming>, String> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_string();
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host.as_str(), port))).await;
    let stream = connected.map_err(|_| "no connection in time".to_string())?.map_err(|error| error.to_string())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let named = uri.authority().map_or("", |authority| authority.as_str()).rsplit('@').next().unwrap_or_default().to_string();
    let request = Request::get(path)
        .header(header::HOST, named)
        .header(header::USER_AGENT, concat!("bulwark-sensor/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    if is_tls {
        let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(configuration(authority)?));
        let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
        send(TokioIo::new(stream), request).await
    } else {
        send(TokioIo::new(stream), request).await
    }
}

async fn send<Stream>(stream: Stream, request: Request<Empty<Bytes>>) -> Result<Response<hyper::body::Incoming>, String>
where
    Stream: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|error| error.to_string())?;
    // Its errors are those of the request, which says them.
    tokio::task::spawn_local(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(|error| error.to_string())
}

async fn body(response: Response<hyper::body::Incoming>) -> Result<Vec<u8>, String> {
    let status = response.status();
    if !status.is_success() {
        return Err(format!("the server answers {status}"));
    }
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > BYTES_MAX {
                return Err(format!("larger than {} MB", BYTES_MAX >> 20));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

fn configuration(authority: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let system = BUNDLES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    for pem in [authority.as_bytes(), &system] {
        // Bundles hold now and then what the library cannot read; what it can read counts.
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| format!("TLS: {error}"))?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn only_the_web_is_asked() {
        assert!(read("https://example.org/sensor").is_ok());
        for address in ["file:///etc/shadow", "/etc/shadow", "ftp://x/y", "https:///x", ""] {
            assert!(read(address).is_err(), "{address}");
        }
    }

    #[test]
    fn redirects_do_not_leave_tls() {
        let from = read("https://a:1/x").expect("address");
        assert_eq!(redirected(&from, "/y?z").expect("same host").to_string(), "https://a:1/y?z");
        assert_eq!(redirected(&from, "https://b/").expect("other host").to_string(), "https://b/");
        for location in ["http://a:1/x", "file:///x", "//b/", ""] {
            assert!(redirected(&from, location).is_err(), "{location}");
        }
    }

    /// Answers one request with `answer`.
    fn served(answer: &'static [u8]) -> Result<Vec<u8>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("event loop");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listener");
            let address = format!("http://{}/sensor", listener.local_addr().expect("address"));
            tokio::task::spawn_local(async move {
                let (mut stream, _) = listener.accept().await.expect("accepted");
                let mut request = [0; 1024];
                let length = stream.read(&mut request).await.expect("request");
                assert!(request[..length].starts_with(b"GET /sensor HTTP/1.1\r\n"));
                stream.write_all(answer).await.expect("answered");
            });
            fetch(&address, "").await
        })
    }

    #[test]
    fn a_file_is_fetched_whole_or_not_at_all() {
        assert_eq!(served(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").expect("fetched"), b"abc");
        assert!(served(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc").is_err());
        assert!(served(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap_err().contains("404"));
    }
}
