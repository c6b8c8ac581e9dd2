//! A real `PostgreSQL`, thrown away afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use super::process::{self, Server};

/// A running server that trusts everybody on the loopback, except the role `locked`, which has a password.
pub struct Postgres {
    pub port: u16,
    pub folder: PathBuf,
    _server: Server,
}

/// The password of the role `locked`.
pub const PASSWORD: &str = "planted-database-password-4711";

static SHARED: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);

impl Postgres {
    /// The one server of this test run, with a new database of this name.
    pub fn database(name: &str) -> Option<&'static Self> {
        let server = SHARED.as_ref()?;
        server.psql("postgres", &format!("CREATE DATABASE {name}"));
        Some(server)
    }

    /// The authority that signed the server's certificate.
    pub fn ca_file(&self) -> String {
        self.folder.join("ca.pem").display().to_string()
    }

    /// Runs SQL as the superuser; gives what it prints, bare.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        let arguments = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", sql];
        let output = Command::new(bin("psql").unwrap()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A standby that follows this server: it can only be read.
    pub fn standby(&self) -> Self {
        let (folder, port, user) = (process::folder("standby"), process::free_port(), superuser());
        if user.is_some() {
            assert!(Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success());
        }
        let (data, from) = (folder.join("data").display().to_string(), self.port.to_string());
        let mut copy = process::command_as(user, &bin("pg_basebackup").unwrap().display().to_string());
        let copied =
            copy.args(["-h", "127.0.0.1", "-p", &from, "-U", "postgres", "-D", &data, "-R", "-c", "fast", "--no-sync"]).current_dir("/").output();
        let copied = copied.unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        Self::serve(folder, port, user)
    }

    fn start() -> Option<Self> {
        let (Some(initdb), Some(_)) = (bin("initdb"), bin("postgres")) else {
            return process::skipped("PostgreSQL (scripts/services-system)");
        };
        let (folder, port, user) = (process::folder("postgres"), process::free_port(), superuser());
        if user.is_some() {
            assert!(Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success());
        }
        let data = folder.join("data").display().to_string();
        let mut init = process::command_as(user, &initdb.display().to_string());
        let words = ["-D", &data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C.UTF-8"];
        let made = init.args(words).current_dir("/").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        certify(&folder, &folder.join("data"), user);
        // The first line that fits counts.
        let rules = "host replication all 127.0.0.1/32 trust\nhost all locked 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nlocal all all trust\n";
        std::fs::write(folder.join("data/pg_hba.conf"), rules).unwrap();
        let started = Self::serve(folder, port, user);
        started.psql("postgres", &format!("CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'"));
        Some(started)
    }

    /// Starts the server whose data is in `data` below a folder.
    fn serve(folder: PathBuf, port: u16, user: Option<&str>) -> Self {
        let data = folder.join("data").display().to_string();
        let (program, port_words, socket) =
            (bin("postgres").unwrap().display().to_string(), format!("port={port}"), format!("unix_socket_directories={}", folder.display()));
        let settings = ["listen_addresses=127.0.0.1", &port_words, &socket, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "ssl=on"];
        let mut command = vec![program.as_str(), "-D", &data];
        command.extend(settings.iter().flat_map(|setting| ["-c", setting]));
        let server = Server::start(&command, &folder, user, "INT");
        process::wait_for_port(port, &folder.join("log"), Duration::from_secs(30));
        let started = Postgres { port, folder, _server: server };
        started.wait_for_answers();
        started
    }

    /// The port is open a moment before sessions are taken.
    fn wait_for_answers(&self) {
        let port = self.port.to_string();
        let ready = || Command::new(bin("pg_isready").unwrap()).args(["-q", "-h", "127.0.0.1", "-p", &port]).status().unwrap().success();
        for _ in 0..200 {
            if ready() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL takes no sessions: {}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }
}

/// Root has to become somebody else for the server.
fn superuser() -> Option<&'static str> {
    let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
    root.then_some("postgres")
}

/// A certificate for `localhost`, signed by an authority of its own whose certificate is `ca.pem`.
fn certify(folder: &Path, data: &Path, user: Option<&str>) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj '/CN=Test CA' && \
                  openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost && \
                  echo subjectAltName=DNS:localhost >san && \
                  openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out server.crt && \
                  chmod 600 server.key && cp ca.pem \"$1\"";
    let made = process::command_as(user, "sh").args(["-c", script, "sh"]).arg(folder).current_dir(data).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A program of `PostgreSQL`; Debian keeps the server's in a folder of its version.
fn bin(name: &str) -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").map(|dir| dir.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    versions.sort();
    versions.into_iter().rev().map(|folder| folder.join("bin").join(name)).find(|file| file.is_file()).or_else(|| process::find_program(name))
}
