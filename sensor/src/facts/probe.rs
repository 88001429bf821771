//! Whether a service that should ask who one is answers everybody: one GET of one path, on the node's own loopback address or on the own
//! address that it is bound to, and only where the kernel says that something listens.
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::{Probe, ProbeFact, SocketFact, probe_fact::Answer as State};

const CONNECT: Duration = Duration::from_millis(300);
const ANSWER: Duration = Duration::from_millis(700);
/// Of an answer; its first line is all that counts.
const ANSWER_BYTES: usize = 512;
const PATH_MAX: usize = 100;
/// Of one port; a container in the node's network may listen on as many as it likes.
const ADDRESSES_MAX: usize = 4;
/// The status of a door that is open.
const OPEN: u32 = 200;

/// Any certificate is good enough for somebody who says nothing and only looks whether there is an answer.
#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Asks at every address on which something listens, since each may be another program: the answer that is worst for the node counts. An
/// answer that cannot be had is worse than a good one.
pub fn ask(probe: &Probe, sockets: &[SocketFact]) -> ProbeFact {
    let mut listening: Vec<&SocketFact> =
        sockets.iter().filter(|socket| socket.protocol == "tcp" && socket.port == probe.port && address_of(socket).is_some()).collect();
    // Of two that are asked the same way the one that others reach is told of.
    listening.sort_by_key(|socket| is_loopback(&socket.address));
    let is_good = is_path(&probe.path);
    let mut worst = fact(probe, State::Closed, 0, String::new(), false);
    let mut asked: Vec<SocketAddr> = Vec::new();
    for socket in listening {
        let Some(address) = address_of(socket).filter(|address| !asked.contains(address)) else { continue };
        let exposed = !is_loopback(&socket.address);
        let one = if !is_good {
            fact(probe, State::Unread, 0, "this is no path to ask for".into(), exposed)
        } else if asked.len() >= ADDRESSES_MAX {
            fact(probe, State::Unread, 0, format!("something listens on more than {ADDRESSES_MAX} addresses"), exposed)
        } else {
            judge(probe, address, exposed)
        };
        asked.push(address);
        if rank(&one) > rank(&worst) {
            worst = one;
        }
        if worst.state == State::Answered as i32 && worst.status == OPEN || asked.len() > ADDRESSES_MAX {
            break;
        }
    }
    worst
}

/// What is said of a port for which there was no time.
pub fn unasked(probe: &Probe) -> ProbeFact {
    fact(probe, State::Unread, 0, "others took all the time for their answers".into(), false)
}

fn fact(probe: &Probe, state: State, status: u32, why: String, exposed: bool) -> ProbeFact {
    ProbeFact { id: probe.id.clone(), state: state as i32, status, why, exposed }
}

fn rank(one: &ProbeFact) -> u32 {
    match one.state {
        state if state == State::Answered as i32 && one.status == OPEN => 4,
        state if state == State::Unread as i32 => 3,
        state if state == State::Answered as i32 => 2,
        state if state == State::Refused as i32 => 1,
        _ => 0,
    }
}

fn judge(probe: &Probe, address: SocketAddr, exposed: bool) -> ProbeFact {
    let of = |state: State, status: u32, why: String| fact(probe, state, status, why, exposed);
    match get(address, probe) {
        Ok(Some(status)) => of(State::Answered, status, String::new()),
        Ok(None) => of(State::Refused, 0, "it does not answer as a web server does".into()),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock || error.kind() == std::io::ErrorKind::TimedOut => {
            of(State::Unread, 0, "there was no answer in time".into())
        }
        Err(error) => of(State::Refused, 0, error.to_string()),
    }
}

fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= PATH_MAX && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The kernel's own table says that the address is one of this node.
fn address_of(socket: &SocketFact) -> Option<SocketAddr> {
    let address: IpAddr = socket.address.parse().ok()?;
    let address = if address.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address };
    Some(SocketAddr::new(address, u16::try_from(socket.port).ok()?))
}

fn get(address: SocketAddr, probe: &Probe) -> std::io::Result<Option<u32>> {
    let stream = TcpStream::connect_timeout(&address, CONNECT)?;
    let stream = Timed { stream, until: Instant::now() + ANSWER * 2 };
    let request = format!("GET {} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: bulwark-sensor\r\nConnection: close\r\n\r\n", probe.path);
    if !probe.tls {
        return exchange(stream, &request);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    let client = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    exchange(StreamOwned::new(client, stream), &request)
}

/// A connection with one end of its time, whatever is read and written: who gives a byte now and then, also while TLS begins, gains nothing.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> std::io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left.min(ANSWER)) }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// Sends the request and reads the status.
fn exchange(mut stream: impl Read + Write, request: &str) -> std::io::Result<Option<u32>> {
    stream.write_all(request.as_bytes())?;
    let (mut answer, mut piece) = (Vec::new(), [0u8; ANSWER_BYTES]);
    while answer.len() < ANSWER_BYTES && !answer.contains(&b'\n') {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&piece[..length]);
    }
    let text = String::from_utf8_lossy(&answer);
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    Ok(if is_http { words.next().and_then(|status| status.parse().ok()) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn serve(answer: &'static [u8], hold: bool) -> SocketFact {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("address").port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("asked");
            let mut request = [0; 256];
            drop(stream.read(&mut request));
            drop(stream.write_all(answer));
            if hold {
                std::thread::sleep(ANSWER * 4);
            }
        });
        SocketFact { protocol: "tcp".into(), address: "127.0.0.1".into(), port: port.into() }
    }

    fn probe(socket: &SocketFact) -> Probe {
        Probe { id: "x".into(), port: socket.port, tls: false, path: "/_ping".into() }
    }

    #[test]
    fn an_answer_is_told_by_its_status() {
        for (answer, state, status) in [
            (b"HTTP/1.1 200 OK\r\n\r\nOK".as_slice(), State::Answered, 200),
            (b"HTTP/1.0 401 No\r\n\r\n", State::Answered, 401),
            (b"SSH-2.0-x\r\n", State::Refused, 0),
            (b"", State::Refused, 0),
        ] {
            let socket = serve(answer, false);
            let fact = ask(&probe(&socket), std::slice::from_ref(&socket));
            assert_eq!((fact.state, fact.status, fact.exposed), (state as i32, status, false));
        }
    }

    #[test]
    fn a_port_is_asked_at_every_address_and_the_worst_answer_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("address").port();
        let answer = |listener: TcpListener, answer: &'static [u8]| {
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.expect("asked");
                    let mut request = [0; 256];
                    drop(stream.read(&mut request));
                    drop(stream.write_all(answer));
                }
            });
        };
        answer(listener, b"HTTP/1.1 200 OK\r\n\r\n");
        let mut sockets = Vec::new();
        // What stands before the open door says that it is shut.
        for last in 2..4 {
            let address = format!("127.0.0.{last}");
            answer(TcpListener::bind((address.as_str(), port)).expect("bound"), b"HTTP/1.1 401 No\r\n\r\n");
            sockets.push(SocketFact { protocol: "tcp".into(), address, port: port.into() });
        }
        assert_eq!(ask(&probe(&sockets[0]), &sockets).status, 401);
        sockets.push(SocketFact { protocol: "tcp".into(), address: "127.0.0.1".into(), port: port.into() });
        assert_eq!(ask(&probe(&sockets[0]), &sockets).status, 200);
        // More doors than are tried: nobody knows of the others.
        let many: Vec<SocketFact> =
            (10..100).map(|last| SocketFact { protocol: "tcp".into(), address: format!("127.0.0.{last}"), port: port.into() }).collect();
        assert_eq!(ask(&probe(&many[0]), &many).state, State::Unread as i32);
    }

    #[test]
    fn who_gives_a_byte_now_and_then_is_given_up_in_time_while_tls_begins_too() {
        for tls in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
            let port = listener.local_addr().expect("address").port();
            std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("asked");
                // The head of a TLS record that is never whole, and of an answer that never ends.
                let head: &[u8] = if tls { &[22, 3, 3, 0x3f, 0xff] } else { b"HTTP" };
                drop(stream.write_all(head));
                while stream.write_all(b"x").is_ok() {
                    std::thread::sleep(ANSWER / 4);
                }
            });
            let socket = SocketFact { protocol: "tcp".into(), address: "127.0.0.1".into(), port: port.into() };
            let began = Instant::now();
            let fact = ask(&Probe { tls, ..probe(&socket) }, std::slice::from_ref(&socket));
            assert_eq!(fact.state, State::Unread as i32);
            assert!(began.elapsed() < ANSWER * 4, "{:?}", began.elapsed());
        }
    }

    #[test]
    fn what_does_not_answer_is_unread_and_what_does_not_listen_is_not_asked() {
        let socket = serve(b"", true);
        assert_eq!(ask(&probe(&socket), std::slice::from_ref(&socket)).state, State::Unread as i32);
        assert_eq!(ask(&probe(&socket), &[]).state, State::Closed as i32);
        let endless = serve(&[b'a'; 4096], false);
        assert_eq!(ask(&probe(&endless), std::slice::from_ref(&endless)).state, State::Refused as i32);
    }
}
