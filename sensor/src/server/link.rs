//! The one stream to the gateway, opened again whenever it ends.
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::transport::Channel;
use x509_cert::der::Decode;

use super::enroll;
use super::identity::{Identity, State};
use super::tls::{self, Trust};
use crate::wire::gateway_client::GatewayClient;
use crate::wire::{Downstream, RenewRequest, Upstream, downstream};

const BACK_OFF_FIRST: Duration = Duration::from_millis(500);
const BACK_OFF_LAST: Duration = Duration::from_secs(60);
/// A stream that held this long was no failure: the next attempt follows at once.
const STEADY: Duration = Duration::from_secs(30);
/// Messages that wait to be sent.
const QUEUE: usize = 64;
/// A stream that was not refused for so long is taken.
const ACCEPTED_AFTER: Duration = Duration::from_secs(5);
/// Between two looks at how long the certificate still holds.
const RENEWAL_CHECK: Duration = Duration::from_secs(3600);

/// What the link tells the sensor.
pub enum LinkEvent {
    /// A stream is open; what is put into the sender goes up.
    Up(mpsc::Sender<Upstream>),
    /// The gateway took the node for one of its own and answers.
    Accepted,
    Down(String),
    Message(Box<downstream::Message>),
}

/// Messages of a channel as the stream that tonic wants.
struct Queue(mpsc::Receiver<Upstream>);

impl Stream for Queue {
    type Item = Upstream;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Upstream>> {
        self.0.poll_recv(context)
    }
}

/// Keeps a stream open for as long as somebody listens to `events`.
pub async fn keep(state: State, events: mpsc::Sender<LinkEvent>) {
    let mut back_off = BACK_OFF_FIRST;
    loop {
        let began = tokio::time::Instant::now();
        let why = match open(&state, &events).await {
            Ok(()) => "the server closed the stream".to_string(),
            Err(why) => why,
        };
        if events.send(LinkEvent::Down(why)).await.is_err() {
            return;
        }
        back_off = if began.elapsed() > STEADY { BACK_OFF_FIRST } else { (back_off * 2).min(BACK_OFF_LAST) };
        tokio::time::sleep(jitter(back_off)).await;
    }
}

/// Between half and the whole, so that a thousand nodes do not come back at once.
fn jitter(pause: Duration) -> Duration {
    let spread = u64::from(std::process::id()) * 2_654_435_761 + crate::clock::boot_ns() / 1000;
    pause / 2 + pause * (spread % 1000) as u32 / 2000
}

async fn open(state: &State, events: &mpsc::Sender<LinkEvent>) -> Result<(), String> {
    let mut identity = state.identity()?;
    let mut channel = channel(&identity).await?;
    if renew_when_due(state, &identity, channel.clone()).await {
        // From now on the gateway takes the new certificate only.
        identity = state.identity()?;
        channel = self::channel(&identity).await?;
    }
    let (sender, receiver) = mpsc::channel(QUEUE);
    events.send(LinkEvent::Up(sender)).await.map_err(|_| "stopped".to_string())?;
    let mut client = GatewayClient::new(channel.clone());
    let mut connecting = std::pin::pin!(client.connect(Queue(receiver)));
    // The gateway answers with its first message, which may take long; that it takes the node for none of its own, it says at once.
    let early = tokio::time::timeout(ACCEPTED_AFTER, &mut connecting).await;
    if let Ok(Err(status)) = early {
        return Err(status.to_string());
    }
    events.send(LinkEvent::Accepted).await.map_err(|_| "stopped".to_string())?;
    let answer = match early {
        Ok(answer) => answer,
        Err(_) => connecting.await,
    };
    let mut incoming = answer.map_err(|status| status.to_string())?.into_inner();
    let mut check = tokio::time::interval_at(tokio::time::Instant::now() + RENEWAL_CHECK, RENEWAL_CHECK);
    loop {
        tokio::select! {
            received = incoming.message() => match received.map_err(|status| status.to_string())? {
                Some(Downstream { message: Some(message) }) => {
                    events.send(LinkEvent::Message(Box::new(message))).await.map_err(|_| "stopped".to_string())?;
                }
                Some(Downstream { message: None }) => {}
                None => return Ok(()),
            },
            // The stream that is open stays: the gateway asked for the certificate when it began.
            _ = check.tick() => {
                if renew_when_due(state, &identity, channel.clone()).await {
                    identity = state.identity()?;
                }
            }
        }
    }
}

async fn channel(identity: &Identity) -> Result<Channel, String> {
    let trust = Trust::Authority(identity.authority.clone());
    let configuration = tls::configuration(&trust, Some(&identity.certificate_and_key))?;
    tls::connect(&identity.server, configuration).await
}

/// Whether a new certificate was fetched. A renewal that fails is tried again with the next look; until then the old one serves.
async fn renew_when_due(state: &State, identity: &Identity, channel: Channel) -> bool {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    match validity(&identity.certificate_and_key) {
        Ok((from, until)) if !due(from, until, now) => return false,
        Ok(_) => {}
        // Rather a renewal too many than a node that is locked out.
        Err(why) => eprintln!("how long the certificate holds cannot be told: {why}"),
    }
    let renewed = async {
        let (key, certificate_request) = enroll::request()?;
        let answer = GatewayClient::new(channel).renew(RenewRequest { certificate_request }).await.map_err(|status| status.to_string())?;
        state.save(&identity.server, &key, &answer.into_inner())
    };
    match renewed.await {
        Ok(()) => {
            eprintln!("the certificate was renewed");
            true
        }
        Err(why) => {
            eprintln!("the certificate was not renewed: {why}");
            false
        }
    }
}

/// From when and until when the first certificate of a chain in PEM holds, since 1970.
fn validity(pem: &str) -> Result<(Duration, Duration), String> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())?;
    let certificate = x509_cert::Certificate::from_der(&certificate).map_err(|error| error.to_string())?;
    let validity = certificate.tbs_certificate.validity;
    Ok((validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration()))
}

/// When a third of its life is left.
fn due(from: Duration, until: Duration, now: Duration) -> bool {
    until.saturating_sub(now) <= until.saturating_sub(from) / 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
        let day = |number: u64| Duration::from_secs(number * 24 * 3600);
        assert!(!due(day(100), day(130), day(119)));
        assert!(due(day(100), day(130), day(120)));
        assert!(due(day(100), day(130), day(131)));
    }

    #[test]
    fn the_life_of_a_certificate_is_read_from_it() {
        let key = rcgen::KeyPair::generate().expect("key");
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2026, 1, 31);
        let pem = format!("{}\n{}", key.serialize_pem(), parameters.self_signed(&key).expect("certificate").pem());
        let (from, until) = validity(&pem).expect("read");
        assert_eq!((from.as_secs(), (until - from).as_secs()), (1_767_225_600, 30 * 24 * 3600));
        assert!(validity("nothing").is_err());
    }
}
