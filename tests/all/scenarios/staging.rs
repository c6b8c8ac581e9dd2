//! The world of `examples/openverse`: production and staging in one region of moto, with the staging database's data in a real `PostgreSQL`,
//! and a webhook. moto's instances hold no data, so the instance that is restored "brings" the database that is there already.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_rds::types::Tag;
use serde_json::{Value as Json, json};
use switchover::model::time::{Timestamp, rfc3339};
use switchover::world::live::aws::{self, AwsDoors};
use switchover::world::rds::{Instance, Modify, RdsWrite};

use super::project::Project;
use crate::services::http_server::{HttpServer, Incoming, Reply};
use crate::services::moto::Moto;
use crate::services::postgres::{PASSWORD, Postgres};

pub const NAME: &str = "dev-openverse-db";
pub const NEXT: &str = "dev-openverse-db-next";
pub const OLD: &str = "dev-openverse-db-old";
pub const ADDRESS: &str = "database.dev-openverse-db";
const SOURCE: &str = "prod-openverse-db";
/// The option group of both instances.
const OPTIONS: &str = "openverse-options";
const FILE: &str = "environments/staging.hcl";
/// The secret part of the webhook.
pub const WEBHOOK: &str = "/services/T000/B000/planted-webhook-secret";
/// What the scrub empties.
const TOKENS: [&str; 7] = [
    "api_throttledapplication",
    "api_oauth2registration",
    "api_oauth2verification",
    "oauth2_provider_accesstoken",
    "oauth2_provider_grant",
    "oauth2_provider_idtoken",
    "oauth2_provider_refreshtoken",
];

/// What an undisturbed refresh writes to RDS, in this order and nothing else.
pub const WRITES: [&str; 7] = [
    "tag dev-openverse-db",
    "restore dev-openverse-db-next",
    "modify dev-openverse-db-next",
    "tag dev-openverse-db-next",
    "rename dev-openverse-db to dev-openverse-db-old",
    "rename dev-openverse-db-next to dev-openverse-db",
    "delete dev-openverse-db-old",
];

/// The world, and the example that works on it.
pub struct Staging {
    pub project: Project,
    pub rds: Arc<dyn RdsWrite>,
    pub postgres: &'static Postgres,
    pub database: String,
    pub slack: HttpServer,
    /// The instance that has the name before anything happens.
    pub old: Instance,
    pub region: &'static str,
    moto: &'static Moto,
    client: aws_sdk_rds::Client,
    seeded: usize,
}

impl Staging {
    /// A world of its own, in a region that no other test uses. `faulty` puts the fault proxy before moto for the program (not for what the test
    /// itself looks at).
    pub async fn build(region: &'static str, faulty: bool) -> Option<Self> {
        Self::build_on(Moto::shared()?, region, &format!("openledger_{}", region.replace('-', "_")), faulty).await
    }

    /// The same on a moto of the test's own, with a database of this name.
    pub async fn build_on(moto: &'static Moto, region: &'static str, database: &str, faulty: bool) -> Option<Self> {
        let postgres = Postgres::database(database)?;
        let database = database.to_owned();
        fill(postgres, &database);
        let client = aws_sdk_rds::Client::from_conf(
            aws_sdk_rds::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new(region))
                .credentials_provider(Credentials::new("test", "test", None, None, "test"))
                .endpoint_url(&moto.endpoint)
                .build(),
        );
        make_instances(&client, &make_network(moto, region, &client).await).await;
        let rds = aws::rds(&Moto::provider(&moto.endpoint, region), &AwsDoors::with_keys("test", "test")).await.unwrap();
        let slack = HttpServer::start(|_: &Incoming| Reply::Full { status: 200, headers: Vec::new(), body: b"ok".to_vec() });
        let endpoint = if faulty { moto.faulty() } else { &moto.endpoint };
        let project = project(region, endpoint, postgres.port, &database, &slack);
        available(&*rds, SOURCE).await;
        let old = available(&*rds, NAME).await;
        let mut staging = Staging { project, rds, postgres, database, slack, old, region, moto, client, seeded: 0 };
        staging.count_from_here();
        Some(staging)
    }

    /// The example's plan, saved.
    pub fn plan(&self) -> Json {
        self.project.plan("staging", "plans/staging.json")
    }

    /// The instance of that name now.
    pub async fn instance(&self, name: &str) -> Option<Instance> {
        self.rds.instance(name).await.unwrap()
    }

    /// A change that somebody makes by hand. It is none of the program's writes.
    pub async fn change(&mut self, name: &str, setting: &str, value: Json) {
        let settings = BTreeMap::from([(setting.to_owned(), value)]);
        self.rds.modify(&Modify { identifier: name.to_owned(), settings, ..Modify::default() }).await.unwrap();
        self.old = available(&*self.rds, NAME).await;
        self.count_from_here();
    }

    /// Others work in the same account: a snapshot of production by hand, and an instance of their own. No plan relies on either.
    pub async fn others_go_on(&mut self) {
        let request = self.client.create_db_snapshot().db_instance_identifier(SOURCE).db_snapshot_identifier("before-the-upgrade");
        request.send().await.unwrap();
        create(&self.client, "another-db", "db.m5.large", 1, &[], &[]).await;
        self.count_from_here();
    }

    /// The next call of `operation` that fits `body`, an expression of `JMESPath` (empty: every one) has this effect, `times` times.
    pub fn fault(&self, operation: &str, body: &str, times: u32, effect: &str, detail: &Json) {
        let mut rule = json!({"service": "rds", "operation": operation, "region": self.region, "times": times});
        rule[effect] = detail.clone();
        if !body.is_empty() {
            rule["body"] = body.into();
        }
        self.moto.fault(rule);
    }

    /// What the program has written to RDS so far, as RDS saw it: refused calls are marked with the status of the answer.
    pub fn writes(&self) -> Vec<String> {
        self.calls().into_iter().skip(self.seeded).map(|call| words(&call)).collect()
    }

    /// The names of everything that the program has written to.
    pub fn written_names(&self) -> Vec<String> {
        self.calls().iter().skip(self.seeded).flat_map(names).collect()
    }

    /// The answer of the database to a query.
    pub fn sql(&self, sql: &str) -> String {
        self.postgres.psql(&self.database, sql)
    }

    /// The notices so far.
    pub fn notices(&self) -> Vec<String> {
        let text = |request: &Incoming| serde_json::from_slice::<Json>(&request.body).unwrap()["text"].as_str().unwrap().to_owned();
        self.slack.requests().iter().map(text).collect()
    }

    /// What every refresh that succeeded has come to: the new instance has the name and the settings, the old one is gone, the data is scrubbed,
    /// nothing protected was written, and nothing is left to do.
    pub async fn is_refreshed(&self) {
        let new = self.instance(NAME).await.expect("it has its name");
        assert_ne!(new.resource_id, self.old.resource_id, "it is the new one");
        assert_eq!((new.status.as_str(), &new.settings), ("available", &self.old.settings));
        assert_eq!(of_people(&new), of_people(&self.old));
        assert_eq!(self.instance(NEXT).await, None);
        assert_eq!(self.instance(OLD).await, None);
        let protected: Vec<String> = self.written_names().into_iter().filter(|name| name.contains("prod")).collect();
        assert!(protected.is_empty(), "{protected:?}");
        for table in TOKENS {
            assert_eq!(self.sql(&format!("SELECT count(*) FROM {table}")), "0", "{table}");
        }
        assert_eq!(self.sql("SELECT count(*) FROM auth_user WHERE email LIKE 'user-%@staging.invalid'"), "3");
        self.project.nothing_to_do("staging");
    }

    /// What every refresh that was turned back has come to: the world is as it was, to the last tag.
    pub async fn is_as_it_was(&self) {
        let now = self.instance(NAME).await.expect("it has its name");
        assert_eq!(now, self.old);
        assert_eq!(self.instance(NEXT).await, None);
        assert_eq!(self.instance(OLD).await, None);
        let protected: Vec<String> = self.written_names().into_iter().filter(|name| name.contains("prod")).collect();
        assert!(protected.is_empty(), "{protected:?}");
    }

    fn calls(&self) -> Vec<Json> {
        let calls = self.moto.overlay("calls", &json!({}));
        calls.as_array().unwrap().iter().filter(|call| call["region"] == self.region).cloned().collect()
    }

    fn count_from_here(&mut self) {
        self.seeded = self.calls().len();
    }
}

/// Tags that are neither AWS's nor the program's.
fn of_people(instance: &Instance) -> BTreeMap<&String, &String> {
    instance.tags.iter().filter(|(key, _)| !key.starts_with("switchover:")).collect()
}

/// Looks until an instance is available.
async fn available(rds: &dyn RdsWrite, name: &str) -> Instance {
    for _ in 0..50 {
        match rds.instance(name).await.unwrap() {
            Some(instance) if instance.status == "available" => return instance,
            _ => {}
        }
    }
    panic!("{name} never became available");
}

/// The names that a write concerns: before, after, and of what tags are laid on. A snapshot that is read is none.
fn names(call: &Json) -> Vec<String> {
    let params = &call["params"];
    let of_arn = params["ResourceName"].as_str().and_then(|arn| arn.rsplit(':').next());
    let keys = ["DBInstanceIdentifier", "NewDBInstanceIdentifier", "FinalDBSnapshotIdentifier"];
    keys.iter().filter_map(|key| params[*key].as_str()).chain(of_arn).map(str::to_owned).collect()
}

/// A write in short.
fn words(call: &Json) -> String {
    let names = names(call);
    let verb = match call["action"].as_str().unwrap() {
        "AddTagsToResource" => "tag",
        "RemoveTagsFromResource" => "untag",
        "RestoreDBInstanceFromDBSnapshot" => "restore",
        "ModifyDBInstance" if names.len() > 1 => "rename",
        "ModifyDBInstance" => "modify",
        "DeleteDBInstance" => "delete",
        "RebootDBInstance" => "reboot",
        other => other,
    };
    let refused = if call["status"] == 200 { String::new() } else { format!(" (answer {})", call["status"]) };
    format!("{verb} {}{refused}", names.join(" to "))
}

/// The example, made to point here; nothing else of it is changed.
fn project(region: &str, endpoint: &str, port: u16, database: &str, slack: &HttpServer) -> Project {
    let mut project = Project::example("openverse");
    let provider = format!("region       = \"{region}\"\n  endpoint_url = env(\"AWS_ENDPOINT_URL\")\n  poll         = \"1s\"");
    project.edit(FILE, "region = \"us-east-1\"", &provider, 1);
    let connect = format!("host     = \"127.0.0.1\"\n    port     = {port}\n    sslmode  = \"disable\"\n    user     = \"locked\"");
    project.edit(FILE, "user     = \"deploy\"", &connect, 1);
    project.edit(FILE, "\"openledger\"", &format!("{database:?}"), 1);
    project.edit(FILE, "at_least = 1000000", "at_least = 1000", 1);
    project.set("AWS_ACCESS_KEY_ID", "test");
    project.set("AWS_SECRET_ACCESS_KEY", "planted-aws-secret-1337");
    project.set("AWS_ENDPOINT_URL", endpoint);
    project.set("STAGING_DB_PASSWORD", PASSWORD);
    project.set("SLACK_WEBHOOK_URL", slack.url(WEBHOOK));
    project
}

/// Production's data, as a snapshot brings it: applications, tokens and addresses that must not work in staging.
fn fill(postgres: &Postgres, database: &str) {
    let mut sql = "GRANT ALL ON SCHEMA public TO locked; SET ROLE locked;".to_owned();
    for table in TOKENS {
        write!(sql, "CREATE TABLE {table} (id serial PRIMARY KEY); INSERT INTO {table} SELECT generate_series(1, 5);").unwrap();
    }
    sql += "CREATE TABLE image AS SELECT generate_series(1, 1000) AS id;";
    sql += "CREATE TABLE auth_user (id serial PRIMARY KEY, email text NOT NULL);";
    sql += "INSERT INTO auth_user (email) VALUES ('a@example.org'), ('b@example.org'), ('c@example.org')";
    postgres.psql(database, &sql);
}

/// The subnet group and the security groups that the example names; gives the groups' ids. An option group, too: moto shows default ones
/// that it does not know when they are named.
async fn make_network(moto: &Moto, region: &'static str, rds: &aws_sdk_rds::Client) -> Vec<String> {
    let ec2 = super::zones::ec2(moto, region);
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let (vpc, ids) = (subnets.subnets()[0].vpc_id().unwrap(), subnets.subnets().iter().map(|subnet| subnet.subnet_id().unwrap().to_owned()));
    let group = rds.create_db_subnet_group().db_subnet_group_name("default").db_subnet_group_description("default");
    group.set_subnet_ids(Some(ids.collect())).send().await.unwrap();
    let options = rds.create_option_group().option_group_name(OPTIONS).option_group_description("for tests");
    options.engine_name("postgres").major_engine_version("13").send().await.unwrap();
    for name in ["openverse-vpc-db-access", "staging-dev-rds-sg"] {
        ec2.create_security_group().group_name(name).description("for tests").vpc_id(vpc).send().await.unwrap();
    }
    let groups = ec2.describe_security_groups().send().await.unwrap();
    groups.security_groups().iter().map(|group| group.group_id().unwrap().to_owned()).collect()
}

/// Production, and staging as a run of 34 days ago has left it.
async fn make_instances(client: &aws_sdk_rds::Client, groups: &[String]) {
    let production = [("Environment", "production".to_owned()), ("Name", SOURCE.to_owned())];
    create(client, SOURCE, "db.m5.4xlarge", 7, &production, groups).await;
    let request = client.modify_db_instance().db_instance_identifier(SOURCE).multi_az(true).deletion_protection(true);
    request.apply_immediately(true).send().await.unwrap();
    let before = rfc3339(Timestamp::now() - Duration::from_hours(34 * 24));
    let staging = [
        ("Environment", "staging".to_owned()),
        ("Name", NAME.to_owned()),
        ("switchover:environment", "staging".to_owned()),
        ("switchover:resource", ADDRESS.to_owned()),
        ("switchover:run", "20260101T000000Z-5f0c1a77".to_owned()),
        ("switchover:step", format!("{ADDRESS}/restore")),
        ("switchover:snapshot", format!("rds:{SOURCE}-of-last-month")),
        ("switchover:snapshot-time", before.clone()),
        ("switchover:refreshed-at", before),
    ];
    create(client, NAME, "db.m5.xlarge", 3, &staging, groups).await;
}

/// The maintenance window is each instance's own, so that there is something which a restore cannot carry over.
async fn create(client: &aws_sdk_rds::Client, name: &str, class: &str, backups: i32, tags: &[(&str, String)], groups: &[String]) {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(value).build()).collect();
    let request = client.create_db_instance().db_instance_identifier(name).db_instance_class(class).engine("postgres").engine_version("13.13");
    let request = request.allocated_storage(3000).storage_type("gp2").master_username("u").master_user_password("not-a-secret");
    let window = if name == SOURCE { "sun:06:00-sun:06:30" } else { "mon:07:00-mon:07:30" };
    let request = request.backup_retention_period(backups).preferred_maintenance_window(window).set_tags(Some(tags));
    let network = (!groups.is_empty()).then(|| groups.to_vec());
    let subnets = network.is_some().then(|| "default".to_owned());
    let request = request.set_option_group_name(network.is_some().then(|| OPTIONS.to_owned()));
    request.set_vpc_security_group_ids(network).set_db_subnet_group_name(subnets).send().await.unwrap();
}
