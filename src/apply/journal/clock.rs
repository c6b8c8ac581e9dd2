//! The machine's clocks, as leases need them.

use std::time::Duration;

use crate::model::time::Timestamp;

/// The clocks of one machine.
pub trait Clocks: Send + Sync {
    /// The time of day. People and time servers set it, so that it may jump either way.
    fn wall(&self) -> Timestamp;
    /// Time since the kernel started. It never jumps, and goes on while the machine or the process sleeps; none where it cannot be compared
    /// with that of other processes of this boot.
    fn since_boot(&self) -> Option<Duration>;
}

/// The real ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClocks;

impl Clocks for MachineClocks {
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn since_boot(&self) -> Option<Duration> {
        if is_shifted(&std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default()) {
            return None;
        }
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Some(Duration::new(u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?))
    }
}

/// Whether a namespace gives this process another boot-time clock than the machine's (`time_namespaces(7)`).
fn is_shifted(offsets: &str) -> bool {
    let boot_time = offsets.lines().find_map(|line| line.trim_start().strip_prefix("boottime"));
    boot_time.is_some_and(|numbers| numbers.split_whitespace().any(|number| number != "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_boot_goes_on_and_a_shifted_clock_is_known() {
        let first = MachineClocks.since_boot();
        assert!(first.is_none() || first <= MachineClocks.since_boot());
        assert!(!is_shifted("") && !is_shifted("monotonic           0         0\nboottime            0         0\n"));
        assert!(is_shifted("monotonic           0         0\nboottime            0  5\n"));
        assert!(is_shifted("monotonic 0 0\nboottime -3600 0\n"));
    }
}
