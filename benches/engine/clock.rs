//! The simulated world with a clock that is timed: to know the time it looks at its file, where a machine's clock is read in some nanoseconds.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use switchover::model::time::Timestamp;
use switchover::world::clock::Clock;
use switchover::world::provider::{AwsProvider, CloudflareProvider};
use switchover::world::{CallResult, Readers, Writers, chat, dns, ec2, rds, resolver, sql};

/// What the simulated world has taken.
#[derive(Default)]
pub struct Spent {
    /// When the call under way began.
    pub call: Option<Instant>,
    /// All calls, and all readings of the clock outside of them.
    pub whole: Duration,
}

/// A clock whose readings are timed.
pub struct Ticks {
    pub clock: Arc<dyn Clock>,
    pub spent: Arc<Mutex<Spent>>,
}

#[async_trait]
impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        let began = Instant::now();
        let now = self.clock.now();
        let mut spent = self.spent.lock().expect("nobody panicked");
        if spent.call.is_none() {
            spent.whole += began.elapsed();
        }
        now
    }

    async fn sleep_until(&self, instant: Timestamp) {
        self.clock.sleep_until(instant).await;
    }
}

/// A world with another clock.
pub struct TimedClock {
    pub world: Arc<dyn Writers>,
    pub clock: Arc<Ticks>,
}

#[async_trait]
impl Readers for TimedClock {
    fn identity(&self) -> String {
        self.world.identity()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    fn random(&self) -> u64 {
        self.world.random()
    }

    async fn rds(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsRead>> {
        self.world.rds(aws).await
    }

    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn ec2::Ec2Read>> {
        self.world.ec2(aws).await
    }

    async fn dns(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsRead>> {
        self.world.dns(cloudflare).await
    }

    async fn resolver(&self) -> CallResult<Arc<dyn resolver::Resolver>> {
        self.world.resolver().await
    }

    async fn sql(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlRead>> {
        self.world.sql(target).await
    }
}

#[async_trait]
impl Writers for TimedClock {
    async fn rds_writer(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsWrite>> {
        self.world.rds_writer(aws).await
    }

    async fn dns_writer(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsWrite>> {
        self.world.dns_writer(cloudflare).await
    }

    async fn sql_writer(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlWrite>> {
        self.world.sql_writer(target).await
    }

    async fn chat(&self) -> CallResult<Arc<dyn chat::Chat>> {
        self.world.chat().await
    }
}
