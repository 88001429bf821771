//! The one stream to the gateway, opened again whenever it ends.
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::transport::Channel;

use super::enroll;
use super::identity::{Identity, NODE, State};
use super::tls::{self, Trust};
use crate::wire::gateway_client::GatewayClient;
use crate::wire::{Downstream, RenewRequest, Upstream, downstream};

const BACK_OFF_FIRST: Duration = Duration::from_millis(500);
const BACK_OFF_LAST: Duration = Duration::from_secs(60);
/// A stream that held this long was no failure: the next attempt follows at once.
const STEADY: Duration = Duration::from_secs(30);
/// Messages that wait to be sent.
const QUEUE: usize = 64;
/// Certificates are renewed when they are this old; the server gives them for thirty days.
const RENEW_AFTER: Duration = Duration::from_secs(10 * 24 * 3600);

/// What the link tells the sensor.
pub enum LinkEvent {
    /// A stream is open; what is put into the sender goes up.
    Up(mpsc::Sender<Upstream>),
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
    let identity = state.identity()?;
    let channel = channel(&identity).await?;
    renew_when_old(state, &identity, channel.clone()).await;
    let (sender, receiver) = mpsc::channel(QUEUE);
    events.send(LinkEvent::Up(sender)).await.map_err(|_| "stopped".to_string())?;
    let answer = GatewayClient::new(channel).connect(Queue(receiver)).await.map_err(|status| status.to_string())?;
    let mut incoming = answer.into_inner();
    while let Some(Downstream { message }) = incoming.message().await.map_err(|status| status.to_string())? {
        if let Some(message) = message {
            events.send(LinkEvent::Message(Box::new(message))).await.map_err(|_| "stopped".to_string())?;
        }
    }
    Ok(())
}

async fn channel(identity: &Identity) -> Result<Channel, String> {
    let trust = Trust::Authority(identity.authority.clone());
    let configuration = tls::configuration(&trust, Some(&identity.certificate_and_key))?;
    tls::connect(&identity.server, configuration).await
}

/// A renewal that fails is tried again with the next stream; until then the old certificate serves.
async fn renew_when_old(state: &State, identity: &Identity, channel: Channel) {
    let age = std::fs::metadata(state.path(NODE)).and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
    if age.is_none_or(|age| age < RENEW_AFTER) {
        return;
    }
    let renewed = async {
        let (key, certificate_request) = enroll::request()?;
        let answer = GatewayClient::new(channel).renew(RenewRequest { certificate_request }).await.map_err(|status| status.to_string())?;
        state.save(&identity.server, &key, &answer.into_inner())
    };
    if let Err(why) = renewed.await {
        eprintln!("the certificate was not renewed: {why}");
    }
}
