//! What a pod's variables tell the shim.

use std::path::PathBuf;
use std::time::Duration;

/// Base of the report endpoint, such as `https://10.0.0.7:7071/v1/pod`.
pub(crate) const URL: &str = "POP_SHIM_URL";
/// The endpoint's certificate in PEM. The shim accepts only this one.
pub(crate) const CERTIFICATE: &str = "POP_SHIM_CERTIFICATE";
/// File with the pod's token. The kubelet replaces the file from time to time.
pub(crate) const TOKEN_FILE: &str = "POP_SHIM_TOKEN_FILE";
/// Folder for the program's files.
pub(crate) const WORK: &str = "POP_SHIM_WORK";
/// Longest time in seconds without an answer of the pool.
pub(crate) const DEADLINE: &str = "POP_SHIM_DEADLINE";
/// File that the kubelet reads when the container has ended.
const TERMINATION_MESSAGE: &str = "/dev/termination-log";
/// Start of the shim's own variables; the program does not get them.
const OWN: &str = "POP_SHIM_";

/// Settings of a shim.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) url: String,
    pub(super) certificate: String,
    pub(super) token_file: PathBuf,
    pub(super) work: PathBuf,
    pub(super) deadline: Duration,
    pub(super) termination_message: PathBuf,
    /// The variables of the image and of the pod, for the program.
    pub(super) environment: Vec<(String, String)>,
}

impl Settings {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    /// The text names the variable that is missing or invalid.
    pub(super) fn read() -> Result<Self, String> {
        Self::of(
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        )
    }

    fn of(variables: impl Iterator<Item = (String, String)>) -> Result<Self, String> {
        let (own, environment): (Vec<_>, Vec<_>) = variables.partition(|(name, _)| name.starts_with(OWN));
        let get = |name: &str| {
            let found = own.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            found.ok_or_else(|| {
                format!("the variable {name} is not set. Only a pool can start this program in a pod.")
            })
        };
        let seconds = get(DEADLINE)?;
        let deadline =
            seconds.parse().map_err(|_| format!("invalid {DEADLINE} `{seconds}`: expected seconds"))?;
        Ok(Self {
            url: get(URL)?,
            certificate: get(CERTIFICATE)?,
            token_file: get(TOKEN_FILE)?.into(),
            work: get(WORK)?.into(),
            deadline: Duration::from_secs(deadline),
            termination_message: TERMINATION_MESSAGE.into(),
            environment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Vec<(String, String)> {
        let set =
            [(URL, "https://h:1"), (CERTIFICATE, "pem"), (TOKEN_FILE, "/t"), (WORK, "/w"), (DEADLINE, "60")];
        let own = set.iter().chain(&[("PATH", "/bin")]);
        own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_program_gets_all_variables_but_the_shims_own() {
        let settings = Settings::of(variables().into_iter()).unwrap();
        assert_eq!(settings.environment, [("PATH".to_owned(), "/bin".to_owned())]);
        assert_eq!(settings.deadline, Duration::from_mins(1));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = Settings::of(variables().into_iter().filter(|(name, _)| name != WORK)).unwrap_err();
        assert!(error.contains(WORK), "{error}");
        let broken =
            variables().into_iter().map(|(n, v)| if n == DEADLINE { (n, "x".into()) } else { (n, v) });
        assert_eq!(Settings::of(broken).unwrap_err(), "invalid POP_SHIM_DEADLINE `x`: expected seconds");
    }
}
