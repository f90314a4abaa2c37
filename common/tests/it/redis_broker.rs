//! The Redis broker keeps every promise of a broker.

use common::testing::broker_suite::redis_place;

common::broker_suite!(redis_place);
