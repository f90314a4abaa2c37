//! What is to be measured.

use clap::ValueEnum;

/// One kind of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measurement {
    /// A full queue until it is empty
    QueueToRows,
    /// From a simulated exchange to the tables
    WebsocketToRows,
    /// From a simulated exchange to the queue, without workers
    WebsocketToQueue,
}

impl Measurement {
    /// What is measured when nobody says.
    pub(crate) const USUAL: [Self; 3] = [Self::QueueToRows, Self::WebsocketToRows, Self::WebsocketToQueue];
}
