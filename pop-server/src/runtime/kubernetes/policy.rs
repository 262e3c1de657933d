//! What the operation types of agendas may ask of a cluster.

use pop_compiler::agenda::RunSpec;
use pop_sdk::api::{Failure, FailureClass};

use super::artifacts::Artifacts;
use crate::run::fail;

/// Settings that a pool allows only on request, because they reach beyond the pod.
pub const GUARDED: [&str; 6] =
    ["capabilities", "host_path", "privileged", "root", "service_account", "priority_class"];

/// The rules of a pool.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Allowed starts of image names; all images are allowed if empty.
    pub registries: Vec<String>,
    /// The [`GUARDED`] settings that operation types may use.
    pub allowed: Vec<String>,
}

impl Policy {
    /// Checks an operation type against the rules.
    ///
    /// # Errors
    /// A rule forbids the type; the failure names the rule.
    pub(super) fn check(
        &self,
        kind: &str,
        spec: &RunSpec,
        artifacts: Option<&Artifacts>,
    ) -> Result<(), Failure> {
        let refuse = |what: String| {
            let message = format!("the pool's rules forbid operation type `{kind}`: {what}");
            Err(fail(FailureClass::Policy, "Forbidden", message))
        };
        if let Some(image) = &spec.image
            && !self.registries.is_empty()
            && !self.registries.iter().any(|start| image.starts_with(start.as_str()))
        {
            let allowed = self.registries.join("`, `");
            return refuse(format!("image `{image}` is not from `{allowed}`. Use an image from there."));
        }
        let Some(own) = &spec.kubernetes else { return Ok(()) };
        if let Some(Artifacts::Claim(name)) = artifacts
            && own.volumes.iter().any(|volume| volume.claim.as_ref() == Some(name))
        {
            return refuse(format!(
                "claim `{name}` holds the files of all agendas. Remove the volume: the agenda's own folder is at /pop/artifacts."
            ));
        }
        let asked = [
            ("capabilities", !own.capabilities.is_empty()),
            ("host_path", own.volumes.iter().any(|volume| volume.host_path.is_some())),
            ("privileged", own.privileged),
            ("root", own.run_as_user == Some(0)),
            ("service_account", own.service_account.is_some()),
            ("priority_class", own.priority_class.is_some()),
        ];
        let refused =
            asked.iter().find(|(name, asked)| *asked && !self.allowed.iter().any(|allowed| allowed == name));
        match refused {
            Some((name, _)) => refuse(format!(
                "the setting `{name}` is not allowed. Remove the setting, or start the pool with `--allow {name}`."
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pop_compiler::agenda::{KubernetesSpec, Volume};

    use super::*;

    #[test]
    fn what_reaches_beyond_the_pod_needs_permission() {
        let own = KubernetesSpec { privileged: true, ..KubernetesSpec::default() };
        let spec = RunSpec { kubernetes: Some(Box::new(own)), ..RunSpec::default() };
        let failure = Policy::default().check("t", &spec, None).unwrap_err();
        assert_eq!(failure.class, FailureClass::Policy);
        assert!(failure.message.contains("`--allow privileged`"), "{failure:?}");
        let allowed = Policy { allowed: vec!["privileged".into()], ..Policy::default() };
        assert_eq!(allowed.check("t", &spec, None), Ok(()));
    }

    #[test]
    fn nobody_reaches_the_files_of_other_agendas() {
        let claim = |name: &str| {
            let volume = Volume { claim: Some(name.into()), ..Volume::default() };
            let own = KubernetesSpec { volumes: vec![volume], ..KubernetesSpec::default() };
            let spec = RunSpec { kubernetes: Some(Box::new(own)), ..RunSpec::default() };
            Policy::default().check("t", &spec, Some(&Artifacts::Claim("films".into())))
        };
        assert_eq!(claim("mine"), Ok(()));
        assert_eq!(claim("films").unwrap_err().class, FailureClass::Policy);
    }

    #[test]
    fn images_come_from_the_allowed_registries() {
        let policy = Policy { registries: vec!["r.example.com/".into()], ..Policy::default() };
        let of = |image: &str| {
            policy.check("t", &RunSpec { image: Some(image.into()), ..RunSpec::default() }, None)
        };
        assert_eq!(of("r.example.com/a:1"), Ok(()));
        assert!(of("r.example.com.evil.org/a:1").unwrap_err().message.contains("`r.example.com/`"));
    }
}
