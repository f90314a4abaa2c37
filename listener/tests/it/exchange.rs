//! The simulated exchange, over real sockets.

mod breaking;
mod client;
mod limits;
mod replaying;
mod running;
mod subscribing;
mod walking;
