//! What this machine gives: processors, memory (the container's where there is one), open files.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::run::Resources;
use crate::runtime::Capacity;

/// How many attempts run at the same time for each processor. Programs that declare no resources mostly wait (for a
/// download, for another machine); what needs a processor declares it and is bounded by `resources`.
const ATTEMPTS_PER_CORE: usize = 16;
/// Open files of one running attempt: two pipes and the handle of its process.
const FILES_PER_ATTEMPT: u64 = 3;
/// Open files that are left to the rest of this process: connections, the database, starting programs.
const FILES_OF_THE_REST: u64 = 64;

/// What this machine can run at the same time.
pub fn machine() -> Capacity {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Capacity {
        resources: Resources { cpu_millis: cores as u64 * 1000, memory: memory() },
        attempts: (ATTEMPTS_PER_CORE * cores).max(16),
    }
}

/// The memory that this process may use, in bytes: its control group's limit, or the machine's; without either, no limit.
fn memory() -> u64 {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let total = read(Path::new("/proc/meminfo")).and_then(|text| total(&text)).unwrap_or(u64::MAX);
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    limit_of(&groups, Path::new("/sys/fs/cgroup"), &read).map_or(total, |limit| limit.min(total))
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The smallest limit of the control groups that `/proc/self/cgroup` names, and of those around them.
fn limit_of(groups: &str, root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let mut smallest: Option<u64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (top, file) = match controllers {
            "" => (root.to_path_buf(), "memory.max"),
            c if c.split(',').any(|c| c == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        // Inside of a container the path may be that of the host; its own group is at the top then.
        let own = top.join(path.trim_start_matches('/'));
        for folder in own.ancestors().take_while(|folder| folder.starts_with(&top)) {
            // The word `max` in place of a number means that there is no limit.
            if let Some(limit) = read(&folder.join(file)).and_then(|text| text.trim().parse::<u64>().ok()) {
                smallest = Some(smallest.map_or(limit, |s| s.min(limit)));
            }
        }
    }
    smallest
}

/// Lets this process open as many files as the system allows it, and returns the limit that was set before. Programs get
/// that one back.
pub fn raise_file_limit() -> Rlimit {
    static BEFORE: OnceLock<Rlimit> = OnceLock::new();
    *BEFORE.get_or_init(|| {
        let before = getrlimit(Resource::Nofile);
        if before.current != before.maximum {
            // Without a maximum the kernel's own bound counts, which is far above any need.
            let current = before.maximum.or(Some(1 << 20));
            let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: before.maximum });
        }
        before
    })
}

/// So many attempts have their files open at the same time without taking those of the rest of this process.
pub(super) fn places() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let places = files.saturating_sub(FILES_OF_THE_REST) / FILES_PER_ATTEMPT;
    usize::try_from(places).unwrap_or(usize::MAX).clamp(1, tokio::sync::Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_containers_limit_counts() {
        let v2 = |path: &Path| match path.to_str()? {
            "/sys/fs/cgroup/a/b/memory.max" => Some("max\n".to_owned()),
            "/sys/fs/cgroup/a/memory.max" => Some("1073741824\n".to_owned()),
            _ => None,
        };
        let root = Path::new("/sys/fs/cgroup");
        assert_eq!(limit_of("0::/a/b\n", root, &v2), Some(1 << 30));
        assert_eq!(limit_of("0::/elsewhere\n", root, &v2), None);
        let v1 = |path: &Path| {
            (path == Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes")).then(|| "4096".to_owned())
        };
        assert_eq!(limit_of("5:cpu,memory:/docker/abc\n4:pids:/\n", root, &v1), Some(4096));
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       2048 kB\n"), Some(2 << 20));
    }
}
