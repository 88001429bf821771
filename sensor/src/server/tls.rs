//! TLS to the gateway. Trust is either in an authority that is known, or in one that is known by its fingerprint only.
use hyper_util::rt::TokioIo;
use ring::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// In every gateway's certificate: the authority is the server's own, so the address by which it is reached proves nothing more.
const GATEWAY_NAME: &str = "gateway.bulwark.internal";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Whom to believe.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Certificates in PEM.
    Authority(String),
    /// SHA-256 of the authority's certificate; the server must send that certificate with its own.
    Fingerprint([u8; 32]),
}

/// Reads `sha256:<hex>` with or without the prefix and with or without colons.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let text: String = text.strip_prefix("sha256:").unwrap_or(text).chars().filter(|letter| *letter != ':').collect();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut out = [0; 32];
    for (place, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some(out)
}

#[derive(Debug)]
struct PinnedAuthority {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let pinned = |certificate: &&CertificateDer<'_>| digest::digest(&digest::SHA256, certificate).as_ref() == self.fingerprint;
        if pinned(&end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(authority) = intermediates.iter().find(pinned) else {
            return Err(rustls::Error::General("the server shows no certificate with the given fingerprint".into()));
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A client configuration; `identity` is key and certificate chain in PEM.
pub fn configuration(trust: &Trust, identity: Option<&str>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    let builder = match trust {
        Trust::Authority(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("authority: {error}"))?;
                roots.add(certificate).map_err(|error| format!("authority: {error}"))?;
            }
            builder.with_root_certificates(roots)
        }
        Trust::Fingerprint(fingerprint) => {
            let verifier = Arc::new(PinnedAuthority { fingerprint: *fingerprint, provider });
            builder.dangerous().with_custom_certificate_verifier(verifier)
        }
    };
    let mut configuration = match identity {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| format!("certificate: {error}"))?;
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| format!("private key: {error}"))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| format!("identity: {error}"))?
        }
    };
    configuration.alpn_protocols = vec![b"h2".to_vec()];
    Ok(configuration)
}

/// Host and port of `https://host:port`.
pub fn host_and_port(server: &str) -> Result<(String, u16), String> {
    let uri: Uri = server.parse().map_err(|error| format!("{server}: {error}"))?;
    if uri.scheme_str() != Some("https") {
        return Err(format!("{server}: the server is named as https://host:port"));
    }
    let host = uri.host().ok_or_else(|| format!("{server}: no host"))?;
    Ok((host.trim_matches(['[', ']']).to_string(), uri.port_u16().unwrap_or(443)))
}

/// Connects to `https://host:port`.
pub async fn connect(server: &str, configuration: ClientConfig) -> Result<Channel, String> {
    let (host, port) = host_and_port(server)?;
    let name = ServerName::try_from(GATEWAY_NAME).map_err(|error| format!("{server}: {error}"))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(configuration));
    let open = tower::service_fn(move |_: Uri| {
        let (host, name, connector) = (host.clone(), name.clone(), connector.clone());
        async move {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            connector.connect(name, stream).await.map(TokioIo::new)
        }
    });
    // TLS is the connector's business: to the layer above it is a plain stream.
    let endpoint = Endpoint::try_from(format!("http://{}", server.trim_start_matches("https://").trim_end_matches('/')))
        .map_err(|error| format!("{server}: {error}"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_while_idle(true);
    endpoint.connect_with_connector(open).await.map_err(|error| crate::kernel::load::chain(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_every_usual_form() {
        let plain = "ab".repeat(32);
        assert_eq!(parse_fingerprint(&format!("sha256:{plain}")), Some([0xab; 32]));
        assert_eq!(parse_fingerprint(&["AB"; 32].join(":")), Some([0xab; 32]));
        assert_eq!(parse_fingerprint("sha256:zz"), None);
    }

    #[test]
    fn a_server_is_named_by_https_only() {
        assert_eq!(host_and_port("https://[::1]:8443").expect("good"), ("::1".into(), 8443));
        assert!(host_and_port("http://x:1").is_err());
    }
}
