//! A port of the loopback at which nobody listens.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// A port that refuses connections, and that nobody else is given while the value lives: one that was merely free a moment ago may be a server's
/// of another test by now.
#[derive(Debug)]
pub struct Vacant(TcpSocket);

impl Vacant {
    /// Some port.
    pub fn any() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// A certain one, at which nobody listens any more.
    pub fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Lines of whoever listened there before may not have ended yet.
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        Self(socket)
    }

    /// Which it is.
    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// From now on somebody listens there.
    pub fn listen(self) -> TcpListener {
        self.0.listen(1024).unwrap()
    }
}
