//! What the operating system knows about this process.

use std::fs;

/// Facts for a presence record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFacts {
    /// Machine; `unknown` where it has no readable name.
    pub host: Box<str>,
    /// Process id there.
    pub pid: u32,
    /// Resident memory in bytes; 0 where it cannot be read.
    pub memory_bytes: u64,
    /// CPU time used so far, user and system, in microseconds; 0 where it cannot be read.
    pub cpu_us: u64,
}

/// Linux reports CPU time in ticks of a hundredth of a second (`USER_HZ`), whatever the kernel's own rate.
const TICK_US: u64 = 10_000;

impl ProcessFacts {
    /// As of now. Reads three small files under `/proc` and never fails: elsewhere than on Linux the numbers are 0.
    pub fn read() -> Self {
        let file = |path| fs::read_to_string(path).unwrap_or_default();
        Self {
            host: host(&file("/proc/sys/kernel/hostname")),
            pid: std::process::id(),
            memory_bytes: resident_bytes(&file("/proc/self/status")).unwrap_or(0),
            cpu_us: cpu_us(&file("/proc/self/stat")).unwrap_or(0),
        }
    }
}

fn host(hostname: &str) -> Box<str> {
    let name = hostname.trim();
    if name.is_empty() { "unknown".into() } else { name.into() }
}

/// `VmRSS:     1234 kB` of proc(5) `status`. `statm` counts in pages, whose size differs between machines.
fn resident_bytes(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

/// Fields 14 and 15, `utime` and `stime`, of proc(5) `stat`. The second field is the program's name in parentheses and
/// may itself hold blanks and parentheses, so counting starts behind the last one.
fn cpu_us(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    (ticks()?.checked_add(ticks()?)?).checked_mul(TICK_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_the_resident_set_in_bytes() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   1234 kB\nThreads:\t1\n"), Some(1_234 * 1_024));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn cpu_time_is_found_behind_any_program_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100";
        assert_eq!(cpu_us(stat), Some(3_000_000));
        assert_eq!(cpu_us("7 (a) S 1"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_a_machine() {
        let facts = ProcessFacts::read();
        assert!(1 << 20 < facts.memory_bytes, "{facts:?}");
        assert_ne!(&*facts.host, "unknown");
        assert_eq!(facts.pid, std::process::id());
    }
}
