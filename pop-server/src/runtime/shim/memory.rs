//! Whether the kernel killed a process of this container for lack of memory, and the container's limit. A container is
//! a control group of its own.

use std::fs;
use std::path::{Path, PathBuf};

/// The container's memory control group.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    root: PathBuf,
    kills_before: u64,
}

impl Memory {
    /// Starts counting.
    pub(super) fn watch() -> Self {
        Self::at(Path::new("/sys/fs/cgroup"))
    }

    fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf(), kills_before: kills(root) }
    }

    /// A sentence about the limit, if the kernel has killed a process since the start.
    pub(super) fn killed(&self) -> Option<String> {
        (kills(&self.root) > self.kills_before).then(|| match limit(&self.root) {
            Some(bytes) => format!("the memory limit of {} MiB was exceeded", bytes >> 20),
            None => "the memory limit was exceeded".to_owned(),
        })
    }
}

/// The number of killed processes, in either version of control groups.
fn kills(root: &Path) -> u64 {
    let v2 = fs::read_to_string(root.join("memory.events"));
    let text = v2.or_else(|_| fs::read_to_string(root.join("memory/memory.oom_control"))).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

fn limit(root: &Path) -> Option<u64> {
    let v2 = fs::read_to_string(root.join("memory.max"));
    let text = v2.or_else(|_| fs::read_to_string(root.join("memory/memory.limit_in_bytes"))).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_are_read() {
        let v2 = tempfile::tempdir().unwrap();
        fs::write(v2.path().join("memory.events"), "low 0\noom 1\noom_kill 1\noom_group_kill 0\n").unwrap();
        let memory = Memory::at(v2.path());
        assert_eq!(memory.killed(), None, "what happened before does not count");
        fs::write(v2.path().join("memory.events"), "oom 2\noom_kill 2\n").unwrap();
        fs::write(v2.path().join("memory.max"), "67108864\n").unwrap();
        assert_eq!(memory.killed().unwrap(), "the memory limit of 64 MiB was exceeded");

        let v1 = tempfile::tempdir().unwrap();
        let memory = Memory::at(v1.path());
        fs::create_dir(v1.path().join("memory")).unwrap();
        fs::write(v1.path().join("memory/memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n").unwrap();
        assert!(memory.killed().is_some());
    }
}
