//! What processes and the machine have used, as proc(5) tells.

use std::fs;

/// Linux reports CPU time in ticks of a hundredth of a second (`USER_HZ`), whatever the kernel's own rate.
const TICK_US: u64 = 10_000;

/// What a process has used since its start. Zero where it cannot be read, e.g. elsewhere than on Linux.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time, user and system, in microseconds.
    pub(crate) cpu_us: u64,
    /// The most memory it ever had resident, in bytes.
    pub(crate) memory_peak: u64,
}

impl Usage {
    /// Of the running process `pid`.
    pub(crate) fn of(pid: u32) -> Self {
        let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        Self { cpu_us: cpu_us(&file("stat")).unwrap_or(0), memory_peak: memory_peak(&file("status")).unwrap_or(0) }
    }

    /// Of the running process `pid` and its children, those that have ended among them: a server with helpers. Its
    /// memory is that of this moment, pages that they share counted once.
    pub(crate) fn of_family(pid: u32) -> Self {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let children = children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(pid).chain(children).fold(Self::default(), |sum, pid| {
            let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
            Self {
                cpu_us: sum.cpu_us + family_cpu_us(&file("stat")).unwrap_or(0),
                memory_peak: sum.memory_peak + bytes_of(&file("smaps_rollup"), "Pss:").unwrap_or_else(|| resident(pid)),
            }
        })
    }

    /// CPU time since `before`; memory as it is.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { cpu_us: self.cpu_us.saturating_sub(before.cpu_us), ..self }
    }
}

/// Memory that the running process `pid` has resident now, in bytes; 0 where it cannot be read.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    bytes_of(&status, "VmRSS:").unwrap_or(0)
}

/// CPU time that all of the machine's processors have spent working, in microseconds since it was booted.
pub(crate) fn machine_busy_us() -> Option<u64> {
    busy_us(&fs::read_to_string("/proc/stat").ok()?)
}

/// Fields 14 and 15, `utime` and `stime`, of `/proc/PID/stat`; counted behind the program's name, which may hold blanks.
fn cpu_us(stat: &str) -> Option<u64> {
    ticks_of::<2>(stat)
}

/// As [`cpu_us`], and fields 16 and 17, `cutime` and `cstime`: children that have ended and been waited for.
fn family_cpu_us(stat: &str) -> Option<u64> {
    ticks_of::<4>(stat)
}

fn ticks_of<const FIELDS: usize>(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let fields = behind_name.split_ascii_whitespace().skip(11).take(FIELDS);
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    (ticks.len() == FIELDS).then(|| ticks.iter().sum::<u64>())?.checked_mul(TICK_US)
}

fn memory_peak(status: &str) -> Option<u64> {
    bytes_of(status, "VmHWM:")
}

/// `VmHWM:     1234 kB` of `/proc/PID/status`.
fn bytes_of(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

/// The first line of `/proc/stat`: `cpu user nice system idle iowait irq softirq steal ...`. What a hypervisor took
/// away (`steal`) is no work of this machine; guests are counted in `user` already.
fn busy_us(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _iowait, irq, softirq, ..] = ticks[..] else { return None };
    (user + nice + system + irq + softirq).checked_mul(TICK_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_behind_any_name() {
        assert_eq!(cpu_us("7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100"), Some(3_000_000));
        assert_eq!(family_cpu_us("7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 7 3 20 0 1 0 100"), Some(3_100_000));
        assert_eq!(memory_peak("VmPeak:\t 9 kB\nVmHWM:\t   1234 kB\nVmRSS:\t 1 kB\n"), Some(1_234 * 1_024));
        assert_eq!((cpu_us(""), memory_peak("VmHWM: much")), (None, None));
    }

    #[test]
    fn idle_time_and_time_taken_away_are_not_work() {
        let stat = "cpu  100 10 30 90000 5000 1 2 700 50 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(busy_us(stat), Some(143 * TICK_US));
        assert_eq!(busy_us("intr 5"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_and_its_machine_are_read() {
        assert!(1 << 20 < Usage::of(std::process::id()).memory_peak);
        assert!(0 < machine_busy_us().unwrap());
        assert_eq!(Usage::of(u32::MAX), Usage::default());
        assert_eq!(Usage::of_family(u32::MAX), Usage::default());
        assert!(1 << 20 < Usage::of_family(std::process::id()).memory_peak);
    }
}
