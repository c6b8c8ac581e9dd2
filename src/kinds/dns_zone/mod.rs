//! The records of one Cloudflare zone.
