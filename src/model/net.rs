//! Which addresses stay on this machine.

use url::{Host, Url};

/// Whether a URL stays on this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        let local = |text: &str| is_loopback(&text.parse().unwrap());
        for here in
            ["http://127.0.0.1:5000/", "http://127.9.9.9/", "http://[::1]:8080", "http://localhost:4566/x", "http://LOCALHOST", "http://a.localhost"]
        {
            assert!(local(here), "{here}");
        }
        for there in [
            "http://example.invalid/",
            "http://localhost.example.org/",
            "http://127.0.0.1.example.org/",
            "http://127.0.0.1@example.org/",
            "http://0.0.0.0/",
            "http://[::ffff:10.0.0.1]/",
            "http://10.0.0.1/",
            "http://notlocalhost/",
            "file:///etc/passwd",
        ] {
            assert!(!local(there), "{there}");
        }
    }
}
