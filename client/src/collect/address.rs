//! Under which address this host is known: the one that its packets to the world come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use sysinfo::Networks;

/// A root name server, which nobody has a route of its own to. Nothing is sent there, only the route is asked for.
const WORLD: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 41, 0, 4)), 53),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)), 53),
];

/// The source address of the default route, IPv4 first; where there is no such route the first address that is neither
/// loopback nor of one link only, and where there is none of these, loopback.
pub fn host_ip() -> IpAddr {
    WORLD.iter().find_map(|to| source(*to)).or_else(first_address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn source(to: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(is_of_the_host)
}

/// The interfaces come in no order, and the same host must say the same each time.
fn first_address() -> Option<IpAddr> {
    let networks = Networks::new_with_refreshed_list().ok()?;
    let addresses = networks.values().flat_map(|network| network.ip_networks()).map(|network| network.addr);
    addresses.filter(is_of_the_host).min()
}

fn is_of_the_host(ip: &IpAddr) -> bool {
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !ip.is_unspecified() && !is_link_local
}
