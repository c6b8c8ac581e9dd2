//! A real authoritative name server (Debian's nsd) that serves a twin's zones.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::process::{self, Server};

/// A running server.
pub struct Nsd {
    pub port: u16,
    folder: PathBuf,
    server: Server,
}

impl Nsd {
    /// Serves these zones, at first with nothing but their SOA and NS.
    pub fn start(zones: &[&str]) -> Option<Self> {
        let Some(program) = process::find_program("nsd") else { return process::skipped("nsd (scripts/services-system)") };
        let (folder, port) = (process::folder("nsd"), process::free_port());
        let at = folder.display();
        let mut config = format!(
            "server:\n  ip-address: 127.0.0.1\n  port: {port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  \
             zonesdir: \"{at}\"\n  pidfile: \"{at}/pid\"\n  xfrdfile: \"{at}/xfrd\"\n  xfrdir: \"{at}\"\n  zonelistfile: \"{at}/list\"\n\
             remote-control:\n  control-enable: no\n"
        );
        for zone in zones {
            writeln!(config, "zone:\n  name: {zone}\n  zonefile: {zone}.zone").unwrap();
            std::fs::write(folder.join(format!("{zone}.zone")), super::zone_file::empty(zone)).unwrap();
        }
        let file = folder.join("nsd.conf");
        std::fs::write(&file, config).unwrap();
        let (program, file) = (program.display().to_string(), file.display().to_string());
        let server = Server::start(&[&program, "-d", "-c", &file], &folder, None, "TERM");
        process::wait_for_port(port, &folder.join("log"), Duration::from_secs(20));
        Some(Nsd { port, folder, server })
    }

    /// Puts a zone file in place and has it read; the server answers by it a moment later, as real ones do.
    pub fn publish(&self, zone: &str, text: &str) {
        let (next, file) = (self.folder.join("next"), self.folder.join(format!("{zone}.zone")));
        std::fs::write(&next, text).unwrap();
        std::fs::rename(&next, &file).unwrap();
        self.server.signal("HUP");
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
