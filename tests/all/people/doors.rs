//! The same through a real door: the binary, a twin of the DNS service behind a relay that can be cut, a real name server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::shell::{Watched, is};
use crate::cli::bench::Bench;
use crate::services::nsd::Nsd;
use crate::services::twin::{NEXT_TOKEN, TOKEN, Twin};
use crate::services::zone_file;

const ZONE: &str = "example.org";

/// Passes bytes on to a server, until it is cut: then nobody listens any more and every connection ends.
struct Relay {
    address: SocketAddr,
    server: SocketAddr,
    up: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn start(port: u16) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let relay = Relay { address, server: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), up: Arc::default(), open: Arc::default() };
        relay.listen(listener);
        relay
    }

    fn listen(&self, listener: TcpListener) {
        let (server, up, open) = (self.server, Arc::clone(&self.up), Arc::clone(&self.open));
        up.store(true, Ordering::SeqCst);
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            while up.load(Ordering::SeqCst) {
                let Ok((client, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                client.set_nonblocking(false).unwrap();
                let Ok(upstream) = TcpStream::connect(server) else { continue };
                for (mut from, mut to) in [(client.try_clone().unwrap(), upstream.try_clone().unwrap()), (upstream, client)] {
                    open.lock().unwrap().push(from.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let mut buffer = [0; 16 * 1024];
                        while let Ok(count @ 1..) = from.read(&mut buffer) {
                            if to.write_all(&buffer[..count]).is_err() {
                                break;
                            }
                        }
                        drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
                    });
                }
            }
        });
    }

    fn cut(&self) {
        self.up.store(false, Ordering::SeqCst);
        // The listener ends with its thread's next turn.
        std::thread::sleep(Duration::from_millis(50));
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    fn mend(&self) {
        self.listen(TcpListener::bind(self.address).unwrap());
    }
}

/// One record that is to change, on a zone behind a relay.
struct Scene {
    bench: Bench,
    twin: Arc<Twin>,
    relay: Relay,
    /// Until this is set the name server does not hear of changes.
    publishes: Arc<AtomicBool>,
}

impl Scene {
    fn build(token: &str) -> Option<Scene> {
        let nsd = Nsd::start(&[ZONE])?;
        let server = nsd.address();
        let twin = Arc::new(Twin::start(&[ZONE]));
        let relay = Relay::start(twin.server.port);
        let publishes = Arc::new(AtomicBool::new(true));
        let gate = Arc::clone(&publishes);
        twin.on_change(move |zone, records| {
            if gate.load(Ordering::SeqCst) {
                nsd.publish(zone, &zone_file::of(zone, records));
            }
        });
        twin.seed(ZONE, &[json!({ "type": "A", "name": "www.example.org", "content": "192.0.2.1", "ttl": 60 })]);
        let hcl = format!(
            r#"
environment "site" {{}}
provider "cloudflare" {{
  api_token = env("SITE_TOKEN")
  base_url  = "http://{}/client/v4"
}}
dns_zone "{ZONE}" {{
  provider = cloudflare
  record "A" "www.example.org" {{ value = "192.0.2.2" }}
  confirm {{
    name_servers = ["{server}"]
    timeout      = "2m"
  }}
}}
"#,
            relay.address
        );
        let bench = Bench::new("site", &hcl, "").variable("SITE_TOKEN", token);
        Some(Scene { bench, twin, relay, publishes })
    }

    fn content(&self) -> String {
        self.twin.records(ZONE)[0]["content"].as_str().unwrap().to_owned()
    }

    fn batches(&self) -> usize {
        self.twin.server.requests().iter().filter(|request| request.method == "POST").count()
    }
}

#[test]
fn a_door_whose_network_goes_and_comes_back_is_waited_for() {
    let Some(scene) = Scene::build(TOKEN) else { return };
    scene.bench.run(&["plan", "site", "--out", "plan.json"]).exits(0);
    let mut run = Watched::start(scene.bench.command(&["apply", "plan.json", "--json"]));
    // What was read for the facts is not what the batch needs: the network goes when the run begins, and comes back after a while.
    assert!(run.until(|event| is(event, "run_started")));
    scene.relay.cut();
    let noted = run.until(|event| is(event, "notice") && event["message"].as_str().is_some_and(|text| text.contains("cloudflare:")));
    std::thread::sleep(Duration::from_secs(6));
    scene.relay.mend();
    let (code, events, told) = run.end();
    if code == 1 {
        // It went before anything had begun: said at once, nothing done, and the same plan may be applied again.
        assert_eq!((scene.batches(), scene.content().as_str()), (0, "192.0.2.1"), "{told}");
        scene.bench.run(&["apply", "plan.json"]).exits(0);
    } else {
        assert_eq!((code, noted), (0, true), "{told}");
        let notes = events.iter().filter(|event| is(event, "notice")).count();
        assert!(notes <= 6, "{notes} notes of one pause: {told}");
    }
    assert_eq!((scene.batches(), scene.content().as_str()), (1, "192.0.2.2"), "{told}");
    scene.bench.run(&["plan", "site", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_token_that_expires_in_the_middle_is_named_and_a_new_one_goes_on() {
    let Some(scene) = Scene::build(TOKEN) else { return };
    scene.bench.run(&["plan", "site", "--out", "plan.json"]).exits(0);
    scene.publishes.store(false, Ordering::SeqCst);
    scene.twin.change_token_after_batches(1);
    let said = scene.bench.run(&["apply", "plan.json"]).exits(5);
    let said = said.says("renew the api_token of cloudflare (env(\"SITE_TOKEN\"))").says("switchover resume site").never_says(TOKEN);
    assert_eq!(scene.content(), "192.0.2.2", "{said:?}");
    scene.bench.run(&["resume", "site"]).exits(5).says("renew the api_token of cloudflare");
    let bench = scene.bench.variable("SITE_TOKEN", NEXT_TOKEN);
    // The name server hears of it only now.
    scene.publishes.store(true, Ordering::SeqCst);
    scene.twin.seed(ZONE, &[]);
    bench.run(&["resume", "site"]).exits(0);
    bench.run(&["plan", "site", "--detailed-exitcode"]).exits(0);
}
