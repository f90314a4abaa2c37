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
    /// Names this process for [`is_gone`]; `None` where it cannot be read.
    pub life: Option<Box<str>>,
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
            life: life(std::process::id()),
        }
    }
}

/// CPU time of this thread so far, user and system, in microseconds; 0 where it cannot be read.
pub fn thread_cpu_us() -> u64 {
    cpu_us(&fs::read_to_string("/proc/thread-self/stat").unwrap_or_default()).unwrap_or(0)
}

/// Whether the process that `life` names ran here and has ended, as far as anybody can be sure: on another machine, in
/// another container or in another run of this machine it may still be alive. A process that was killed and not waited
/// for yet has ended.
pub fn is_gone(life: &str) -> bool {
    let parts: Vec<&str> = life.split(' ').collect();
    let [boot, namespace, pid, started] = parts[..] else { return false };
    let here = run_of_machine();
    if here.is_none_or(|(our_boot, our_namespace)| (&*our_boot, &*our_namespace) != (boot, namespace)) {
        return false;
    }
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    is_ended(&stat) || started_at(&stat).is_some_and(|other| other != started)
}

/// Run of the machine, namespace of process ids, process id and its start: no two processes have all of them alike.
fn life(pid: u32) -> Option<Box<str>> {
    let (boot, namespace) = run_of_machine()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(format!("{boot} {namespace} {pid} {}", started_at(&stat)?).into())
}

fn run_of_machine() -> Option<(String, String)> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned();
    Some((boot, namespace))
}

/// Field 3 of proc(5) `stat`: a zombie, or dead.
fn is_ended(stat: &str) -> bool {
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['Z', 'X']))
}

/// Field 22 of proc(5) `stat`: when the process was started, in ticks since the machine was.
fn started_at(stat: &str) -> Option<&str> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_ascii_whitespace().nth(19)
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
    fn a_process_is_gone_when_it_has_ended_here_and_only_then() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let named = life(child.id()).unwrap();
        assert!(!is_gone(&named));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&named));
        let elsewhere = named.replacen(|c: char| c.is_ascii_hexdigit(), "x", 1);
        assert!(!is_gone(&elsewhere), "of another machine nothing is known");
        let reused = life(std::process::id()).unwrap().rsplit_once(' ').unwrap().0.to_owned() + " 1";
        assert!(is_gone(&reused), "another process has its number now");
        assert!(!is_gone("") && !is_gone("a b c d"));
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
