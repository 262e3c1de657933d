//! The resources of this machine: processors, memory (of the container, if any), open files.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::run::Resources;
use crate::runtime::Capacity;

/// Number of simultaneous attempts for each processor. Programs without declared resources mostly wait, for a download
/// or for another machine. A program that needs a processor declares so, and `resources` limit it.
const ATTEMPTS_PER_CORE: usize = 16;
/// Open files of one running attempt: two pipes and the handle of its process.
const FILES_PER_ATTEMPT: u64 = 3;
/// Open files for the rest of this process: connections, the database, starting programs.
const FILES_OF_THE_REST: u64 = 64;

/// The capacity of this machine.
pub fn machine() -> Capacity {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Capacity {
        resources: Resources { cpu_millis: cores as u64 * 1000, memory: memory() },
        attempts: (ATTEMPTS_PER_CORE * cores).max(16),
    }
}

/// The memory for this process in bytes: the limit of its control group, or the machine's memory. Without either, no
/// limit.
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

/// The smallest limit of the control groups in `/proc/self/cgroup` and of their ancestors.
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
        // In a container the path may be the host's; the container's own group is then at the top.
        let own = top.join(path.trim_start_matches('/'));
        for folder in own.ancestors().take_while(|folder| folder.starts_with(&top)) {
            // `max` in place of a number means no limit.
            if let Some(limit) = read(&folder.join(file)).and_then(|text| text.trim().parse::<u64>().ok()) {
                smallest = Some(smallest.map_or(limit, |s| s.min(limit)));
            }
        }
    }
    smallest
}

/// Raises this process's limit of open files to the allowed maximum. Returns the earlier limit, which programs get
/// back.
pub fn raise_file_limit() -> Rlimit {
    static BEFORE: OnceLock<Rlimit> = OnceLock::new();
    *BEFORE.get_or_init(|| {
        let before = getrlimit(Resource::Nofile);
        if before.current != before.maximum {
            // Without a maximum the kernel's own bound counts, which is far above every need.
            let current = before.maximum.or(Some(1 << 20));
            let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: before.maximum });
        }
        before
    })
}

/// Number of attempts that may have files open at the same time, so that enough files remain for the rest of this
/// process.
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
