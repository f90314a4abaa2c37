//! The Redis broker keeps every promise of a broker.

use common::broker::redis::connect;
use common::testing::RedisServer;
use common::testing::broker_suite::Place;

async fn open() -> Place {
    let server = RedisServer::start_with(&[]).await;
    let [one, two] = [connect(&server.url()).await, connect(&server.url()).await];
    Place::new(one.expect("the server runs"), two.expect("the server runs"), server)
}

common::broker_suite!(open);
