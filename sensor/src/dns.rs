//! DNS questions and answers, RFC 1035 section 4.
use crate::kernel::record::{Reader, text};
use crate::wire::Event;

/// Bound on compression pointers that are followed (section 4.1.4): a loop ends here.
const POINTERS_MAX: usize = 16;
const NAME_MAX: usize = 255;
const ANSWERS_MAX: usize = 16;

const TCP: u16 = 6;

/// What the kernel half keeps of a payload.
const KEPT: usize = 512;

/// Over TCP a message has its length in front (section 4.2.2), unless that was sent in a segment of its own.
fn without_length(payload: &[u8]) -> &[u8] {
    match payload.split_first_chunk::<2>() {
        Some((length, message)) => {
            let length = usize::from(u16::from_be_bytes(*length));
            let framed = length == message.len() || (payload.len() == KEPT && length > message.len());
            if framed { message } else { payload }
        }
        None => payload,
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub name: String,
    pub kind: String,
    pub answers: Vec<String>,
    pub is_answer: bool,
    /// RCODE, section 4.1.1.
    pub code: u8,
}

/// Fills an event from a record: socket body, payload.
pub fn fill(event: &mut Event, reader: &mut Reader) {
    let body = reader.socket_body();
    crate::translate::socket(event, &body, b"", b"");
    let payload = reader.text();
    let Some(message) = parse(if body.protocol == TCP { without_length(payload) } else { payload }) else { return };
    event.dns_name = message.name;
    event.dns_type = message.kind;
    event.dns_answers = message.answers;
    event.detail = if message.is_answer { "answer".into() } else { "question".into() };
    event.argument = i64::from(message.code);
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A name at `at`, and where it ends.
fn name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut out = Vec::new();
    let mut end = None;
    let mut pointers = 0;
    loop {
        let length = *bytes.get(at)? as usize;
        match length >> 6 {
            0 if length == 0 => return Some((text(&out), end.unwrap_or(at + 1))),
            0 => {
                if !out.is_empty() {
                    out.push(b'.');
                }
                out.extend(bytes.get(at + 1..at + 1 + length)?);
                at += 1 + length;
            }
            3 => {
                end.get_or_insert(at + 2);
                at = usize::from(u16_at(bytes, at)? & 0x3fff);
                pointers += 1;
            }
            _ => return None,
        }
        if out.len() > NAME_MAX || pointers > POINTERS_MAX {
            return None;
        }
    }
}

/// Reads a message; `None` when it is none.
pub fn parse(bytes: &[u8]) -> Option<Message> {
    let flags = u16_at(bytes, 2)?;
    if u16_at(bytes, 4)? == 0 {
        return None;
    }
    let (asked, at) = name(bytes, 12)?;
    let mut message = Message {
        name: asked,
        kind: kind_name(u16_at(bytes, at)?),
        is_answer: flags & 0x8000 != 0,
        code: (flags & 15) as u8,
        answers: Vec::new(),
    };
    let count = usize::from(u16_at(bytes, 6)?).min(ANSWERS_MAX);
    let mut at = at + 4;
    for _ in 0..count {
        let Some((answer, next)) = answer(bytes, at) else { break };
        message.answers.extend(answer);
        at = next;
    }
    Some(message)
}

fn answer(bytes: &[u8], at: usize) -> Option<(Option<String>, usize)> {
    let (_, at) = name(bytes, at)?;
    let kind = u16_at(bytes, at)?;
    let length = usize::from(u16_at(bytes, at + 8)?);
    let data = bytes.get(at + 10..at + 10 + length)?;
    let value = match kind {
        1 => <[u8; 4]>::try_from(data).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        28 => <[u8; 16]>::try_from(data).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        5 | 12 | 2 => name(bytes, at + 10).map(|(name, _)| name),
        16 => data.get(1..).map(text),
        _ => None,
    };
    Some((value, at + 10 + length))
}

fn kind_name(kind: u16) -> String {
    match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        65 => "HTTPS",
        255 => "ANY",
        other => return format!("TYPE{other}"),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Vec<u8> {
        let mut bytes = vec![1, 2, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        bytes.extend(b"\x03www\x07example\x00\x00\x01\x00\x01");
        bytes
    }

    #[test]
    fn an_answer_is_read_through_its_pointer() {
        let mut bytes = question();
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3]);
        let message = parse(&bytes).expect("a message");
        assert_eq!((message.name.as_str(), message.kind.as_str(), message.is_answer), ("www.example", "A", true));
        assert_eq!(message.answers, ["10.1.2.3"]);
    }

    #[test]
    fn over_tcp_the_length_in_front_is_left_out() {
        let framed = [&(question().len() as u16).to_be_bytes(), question().as_slice()].concat();
        assert_eq!(without_length(&framed), question());
        assert_eq!(without_length(&question()), question(), "the length came before, alone");
        let long = [&[4, 0][..], &[7; KEPT - 2]].concat();
        assert_eq!(without_length(&long).len(), KEPT - 2, "cut by the kernel half");
        assert_eq!(without_length(&[7]), [7]);
    }

    #[test]
    fn pointers_in_a_circle_and_cut_messages_end() {
        let mut bytes = question();
        bytes[12] = 0xc0;
        bytes[13] = 12;
        assert_eq!(parse(&bytes), None);
        for length in 0..question().len() {
            parse(&question()[..length]);
        }
    }
}
