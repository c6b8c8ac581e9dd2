//! moto (RDS, EC2, STS), the status overlay before it, and the fault proxy before both.
//!
//! `faulty` → `endpoint` → `bare`: each address answers for all services, in every region, with any credentials.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use switchover::world::provider::AwsProvider;

/// moto imports a service at its first call, which takes seconds on a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// A process that ends with this one, however this one ends: a shell kills it when its standard input closes.
struct Service {
    shell: Child,
}

impl Service {
    fn start(program: &Path, arguments: &[&str], log: &Path) -> Service {
        let log = File::create(log).expect("the log can be made");
        let shell = Command::new("sh")
            .args(["-c", "\"$@\" & cat >/dev/null; kill $!; wait $!", "sh"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log)
            .spawn()
            .expect("sh can be started");
        Service { shell }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // A test that ends has nothing to do with how its service took the signal.
        drop(self.shell.wait());
    }
}

/// A bucket of moto's S3.
pub struct MotoBucket {
    pub name: String,
    pub port: u16,
}

/// moto and what stands before it. Ends when dropped.
pub struct Moto {
    folder: tempfile::TempDir,
    venv: PathBuf,
    services: Vec<Service>,
    faulty: OnceLock<(Service, String)>,
    /// moto itself.
    pub bare: String,
    /// The overlay: what the doors get.
    pub endpoint: String,
}

impl Moto {
    /// Starts moto and the overlay. `None`, with a word on standard error, where `scripts/services-python` has not been run.
    ///
    /// # Panics
    /// With `CI=true` instead of giving `None`, and when the services do not come up.
    pub fn start() -> Option<Moto> {
        let Some(venv) = venv() else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "the test services are missing: run scripts/services-python");
            eprintln!("SKIPPED: moto is not installed; scripts/services-python installs it");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder for logs");
        let [moto, overlay] = free_ports();
        let overlay_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/rds_overlay.py");
        let services = vec![
            Service::start(&venv.join("bin/moto_server"), &["-H", "127.0.0.1", "-p", &moto], &folder.path().join("moto.log")),
            Service::start(
                &venv.join("bin/python"),
                &[&overlay_file.to_string_lossy(), "--port", &overlay, "--upstream", &format!("127.0.0.1:{moto}")],
                &folder.path().join("overlay.log"),
            ),
        ];
        let started = Moto {
            folder,
            venv,
            services,
            faulty: OnceLock::new(),
            bare: format!("http://127.0.0.1:{moto}"),
            endpoint: format!("http://127.0.0.1:{overlay}"),
        };
        started.ready(&started.bare, "/moto-api/data.json", "moto.log");
        started.ready(&started.endpoint, "/_overlay/ready", "overlay.log");
        Some(started)
    }

    /// One for all tests of this process: each keeps to a region of its own.
    pub fn shared() -> Option<&'static Moto> {
        static SHARED: OnceLock<Option<Moto>> = OnceLock::new();
        SHARED.get_or_init(Moto::start).as_ref()
    }

    /// A bucket that nobody else has.
    pub fn bucket(&self) -> MotoBucket {
        let name = format!("journal-{:016x}", fastrand::u64(..));
        let (status, answer) = http(&self.bare, "PUT", &format!("/{name}"), "").expect("moto answers");
        assert_eq!(status, 200, "{answer}");
        let port = self.bare.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        MotoBucket { name, port }
    }

    /// The address of the fault proxy, which is started at the first call. It takes rules by [`Moto::fault`].
    pub fn faulty(&self) -> &str {
        let (_, address) = self.faulty.get_or_init(|| {
            let [port] = free_ports();
            let arguments = ["--upstream", &self.endpoint, "--host", "127.0.0.1", "--port", &port, "--no-resign"];
            let service = Service::start(&self.venv.join("bin/microburst"), &arguments, &self.folder.path().join("microburst.log"));
            let address = format!("http://127.0.0.1:{port}");
            self.ready(&address, "/_microburst/rules", "microburst.log");
            (service, address)
        });
        address
    }

    /// Adds a rule to those of the fault proxy (a POST would replace them all). It must name its `region`, or it hits other tests as well.
    pub fn fault(&self, rule: Json) {
        assert!(rule.get("region").is_some() && rule.get("operation").is_some(), "a rule without bounds fires on everything: {rule}");
        let body = Json::Array(vec![rule]).to_string();
        let (status, answer) = http(self.faulty(), "PATCH", "/_microburst/rules", &body).expect("the fault proxy answers");
        assert!((200..300).contains(&status), "{status}: {answer}");
    }

    /// Tells the overlay something: `settings`, `touch`, `created`; `tests/services/rds_overlay.py` lists the words.
    pub fn overlay(&self, what: &str, body: &Json) -> Json {
        let (status, answer) = http(&self.endpoint, "POST", &format!("/_overlay/{what}"), &body.to_string()).expect("the overlay answers");
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).expect("the overlay speaks JSON")
    }

    /// The writing calls to RDS of one region so far: what was asked, and the status of the answer.
    pub fn writes(&self, region: &str) -> Vec<(String, u64)> {
        let calls = self.overlay("calls", &Json::Object(serde_json::Map::new()));
        let calls = calls.as_array().expect("a list").iter().filter(|call| call["region"] == region);
        calls.map(|call| (call["action"].as_str().expect("a word").to_owned(), call["status"].as_u64().expect("a status"))).collect()
    }

    /// How the services are named to the doors.
    pub fn provider(endpoint: &str, region: &str) -> AwsProvider {
        AwsProvider {
            name: "aws".to_owned(),
            region: region.to_owned(),
            profile: None,
            account_id: Some("123456789012".to_owned()),
            endpoint_url: Some(endpoint.to_owned()),
            allow_plain_http: false,
            poll: Duration::from_secs(1),
        }
    }

    fn ready(&self, address: &str, path: &str, log: &str) {
        let begin = Instant::now();
        while !http(address, "GET", path, "").is_ok_and(|(status, _)| status == 200) {
            if begin.elapsed() > READY_LIMIT {
                let log = fs::read_to_string(self.folder.path().join(log)).unwrap_or_default();
                panic!("{address} does not answer; its log:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // From the outside to the inside, so that none answers for one that is gone already.
        self.faulty.take();
        self.services.clear();
    }
}

fn venv() -> Option<PathBuf> {
    let named = std::env::var_os("SWITCHOVER_TEST_VENV").map(PathBuf::from);
    let venv = named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/switchover/venv")))?;
    ["moto_server", "microburst", "python"].iter().all(|program| venv.join("bin").join(program).exists()).then_some(venv)
}

/// Ports that nobody listens on, all different.
pub fn free_ports<const N: usize>() -> [String; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| listener.local_addr().expect("its address").port().to_string())
}

/// One plain request, which needs no runtime.
pub fn http(address: &str, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let head = format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    Ok((status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
}
