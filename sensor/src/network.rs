//! Networks as they are written: `10.0.0.0/8`, `192.0.2.1`, `2001:db8::/32`.
use std::net::IpAddr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    pub address: [u8; 16],
    pub is_v6: bool,
    pub bits: u32,
}

/// `None` when it is no network.
pub fn parse(text: &str) -> Option<Network> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim().parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.trim().parse().ok().filter(|bits| *bits <= longest)?,
        None => longest,
    };
    let mut bytes = [0; 16];
    match address {
        IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => bytes = address.octets(),
    }
    Some(Network { address: bytes, is_v6: address.is_ipv6(), bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_are_read() {
        assert_eq!(parse("10.0.0.0/8").map(|network| (network.bits, network.is_v6)), Some((8, false)));
        assert_eq!(parse("::1").map(|network| (network.bits, network.is_v6)), Some((128, true)));
        for wrong in ["10.0.0.0/33", "x", "", "1.2.3/8", "::/129"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
