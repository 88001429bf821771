//! A one-time token becomes a certificate. The private key is made here and stays here.
use rcgen::{CertificateParams, DnType, KeyPair};
use std::process::ExitCode;

use super::identity::{DEFAULT_STATE, State};
use super::tls::{self, Trust};
use crate::arguments;
use crate::wire::EnrollRequest;
use crate::wire::enrollment_client::EnrollmentClient;

const TOKEN_VARIABLE: &str = "BULWARK_ENROLMENT_TOKEN";

/// `enroll --server https://host:port --token T [--ca-fingerprint sha256:… | --ca FILE] [--state DIR] [--force | --if-needed]`
pub fn command(words: &[String]) -> Result<ExitCode, String> {
    let arguments = arguments::parse(words, &["server", "token", "ca-fingerprint", "ca", "state"], &["force", "if-needed"])?;
    let state = State::open(arguments.value("state").unwrap_or(DEFAULT_STATE))?;
    if state.is_enrolled() && arguments.flag("if-needed") {
        return Ok(ExitCode::SUCCESS);
    }
    if state.is_enrolled() && !arguments.flag("force") {
        return Err(format!("{} holds an identity already; --force replaces it", state.folder.display()));
    }
    let server = arguments.needed("server")?.trim_end_matches('/').to_string();
    // Words of a command line are seen by everybody on the node; a variable is not.
    let in_environment = std::env::var(TOKEN_VARIABLE).unwrap_or_default();
    let given = match arguments.value("token") {
        Some(token) => token,
        None if !in_environment.is_empty() => &in_environment,
        None => arguments.needed("token")?,
    };
    let (token, inside) = split_token(given);
    let fingerprint = arguments.value("ca-fingerprint").map(String::from).or(inside);
    let trust = match (arguments.value("ca"), fingerprint) {
        (Some(path), _) => Trust::Authority(std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?),
        (None, Some(text)) => {
            Trust::Fingerprint(tls::parse_fingerprint(&text).ok_or_else(|| format!("`{text}` is no SHA-256 fingerprint"))?)
        }
        (None, None) => return Err("whom to trust? --ca-fingerprint sha256:… or --ca FILE, or a token that carries it".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("no event loop: {error}"))?;
    let node_id = runtime.block_on(enroll(&state, &server, token, &trust))?;
    println!("enrolled as {node_id}; `bulwark-sensor run --state {}` starts the sensor", state.folder.display());
    Ok(ExitCode::SUCCESS)
}

/// `token.fingerprint` carries the authority's fingerprint.
fn split_token(token: &str) -> (String, Option<String>) {
    match token.rsplit_once('.') {
        Some((token, tail)) if tls::parse_fingerprint(tail).is_some() => (token.into(), Some(tail.into())),
        _ => (token.into(), None),
    }
}

/// A fresh key and its certificate request, both in PEM.
pub fn request() -> Result<(String, String), String> {
    let key = KeyPair::generate().map_err(|error| format!("key: {error}"))?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "bulwark-sensor");
    let request = parameters.serialize_request(&key).and_then(|request| request.pem()).map_err(|error| format!("request: {error}"))?;
    Ok((key.serialize_pem(), request))
}

async fn enroll(state: &State, server: &str, token: String, trust: &Trust) -> Result<String, String> {
    let (key, certificate_request) = request()?;
    let channel = tls::connect(server, tls::configuration(trust, None)?).await.map_err(|why| format!("{server}: {why}"))?;
    let message = EnrollRequest { token, certificate_request, node: Some(super::node::describe()) };
    let answer = EnrollmentClient::new(channel).enroll(message).await.map_err(|status| match status.code() {
        tonic::Code::Unauthenticated => format!("{server} does not take this token ({}); make a new one", status.message()),
        _ => format!("{server}: {}", status.message()),
    })?;
    let answer = answer.into_inner();
    state.save(server, &key, &answer)?;
    Ok(answer.node_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_carry_the_fingerprint() {
        let print = "0f".repeat(32);
        assert_eq!(split_token(&format!("a.b.{print}")), ("a.b".into(), Some(print)));
        assert_eq!(split_token("a.b"), ("a.b".into(), None));
    }

    #[test]
    fn a_request_is_pem_and_the_key_is_another() {
        let (key, request) = request().expect("made");
        assert!(key.contains("PRIVATE KEY") && request.starts_with("-----BEGIN CERTIFICATE REQUEST"));
    }
}
