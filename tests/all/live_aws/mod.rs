//! The AWS doors against moto, its overlay and the fault proxy: what each method does (`rds`, `ec2`), what a failure is known to mean
//! (`failures`, `faults`), where the double lies (`lies`), and that the overlay does what it is for (`overlay`).

mod ec2;
mod failures;
mod faults;
mod lies;
mod overlay;
mod rds;

use std::sync::Arc;

use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use switchover::world::live::aws::{self, AwsDoors};
use switchover::world::rds::{Instance, RdsWrite};

use crate::services::moto::Moto;

/// One region of moto, which no other test uses.
struct Site {
    moto: &'static Moto,
    region: &'static str,
    rds: Arc<dyn RdsWrite>,
}

impl Site {
    async fn open(region: &'static str) -> Option<Site> {
        let moto = Moto::shared()?;
        let rds = door(&moto.endpoint, region).await;
        Some(Site { moto, region, rds })
    }

    /// The SDK itself, for what the doors cannot do: making the things to look at.
    fn config(&self) -> aws_sdk_rds::config::Builder {
        aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&self.moto.endpoint)
    }

    /// Makes an instance with one automated snapshot, and waits until it is available.
    async fn create(&self, name: &str) -> Instance {
        let client = aws_sdk_rds::Client::from_conf(self.config().build());
        let request = client.create_db_instance().db_instance_identifier(name).db_instance_class("db.m5.large").engine("postgres");
        let request = request.engine_version("14.10").allocated_storage(20).master_username("u").master_user_password("not-a-secret");
        request.backup_retention_period(1).send().await.expect("moto makes an instance");
        self.available(name).await
    }

    /// Looks until the instance is available.
    async fn available(&self, name: &str) -> Instance {
        for _ in 0..50 {
            match self.rds.instance(name).await.expect("a look") {
                Some(instance) if instance.status == "available" => return instance,
                _ => {}
            }
        }
        panic!("{name} never became available");
    }

    /// The name of the one automated snapshot of an instance.
    async fn snapshot_of(&self, name: &str) -> String {
        let snapshots = self.rds.snapshots(name, "automated").await.expect("snapshots");
        assert_eq!(snapshots.len(), 1);
        snapshots[0].identifier.clone()
    }
}

async fn door(endpoint: &str, region: &str) -> Arc<dyn RdsWrite> {
    aws::rds(&Moto::provider(endpoint, region), &AwsDoors::with_keys("test", "test")).await.expect("the door opens")
}
