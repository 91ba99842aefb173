//! How a replica listens. Every socket that it accepts connections on is bound here.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
}

impl Listener {
    /// Binds the address of a flag; port 0 picks one.
    ///
    /// # Errors
    /// Says what to do when the address cannot be had.
    pub async fn bind(flag: &str, addr: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpListener::bind(addr).await.with_context(|| {
            format!("cannot listen on {addr}; stop the process that has it, or choose another {flag}")
        })?;
        let addr = socket.local_addr()?;
        Ok(Self { socket, addr })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections for gRPC.
    pub(super) fn incoming(self) -> TcpIncoming {
        // On the sockets themselves: the server builder's setting does not reach a listener that was bound before. Without
        // it every small reply waits 40 ms for a delayed acknowledgement.
        TcpIncoming::from(self.socket).with_nodelay(Some(true))
    }

    /// The socket, for servers that make connections themselves.
    pub(super) fn into_socket(self) -> TcpListener {
        self.socket
    }
}
