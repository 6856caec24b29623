/// What is to be done next to open a way through a proxy.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum TunnelStep {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Receive this many bytes, and pass them to the next step.
    Receive(usize),
    /// The way is open.
    Done,
}
