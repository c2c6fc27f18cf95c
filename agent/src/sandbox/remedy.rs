//! What to do on this machine about a layer that it does not allow.

use std::fs;
use std::path::Path;

use super::Layer;

/// What decides about the layers, as this machine has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    /// The kernel's settings for user namespaces, where it has them.
    pub(super) clone_allowed: Option<u64>,
    pub(super) most_namespaces: Option<u64>,
    pub(super) apparmor_restricts: Option<u64>,
    pub(super) is_container: bool,
    /// systemd started this process.
    pub(super) is_service: bool,
    /// The controllers of cgroup v2; `None`: there is no cgroup v2 at its usual place.
    pub(super) controllers: Option<String>,
    /// The security modules of the kernel, as it lists them.
    pub(super) modules: String,
    pub(super) kernel: String,
}

impl Machine {
    pub(super) fn here() -> Self {
        let text = |path: &str| fs::read_to_string(path).ok().map(|it| it.trim().to_owned());
        let number = |path: &str| text(path)?.parse().ok();
        Self {
            clone_allowed: number("/proc/sys/kernel/unprivileged_userns_clone"),
            most_namespaces: number("/proc/sys/user/max_user_namespaces"),
            apparmor_restricts: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            is_container: ["/.dockerenv", "/run/.containerenv"].iter().any(|it| Path::new(it).exists())
                || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            is_service: std::env::var_os("INVOCATION_ID").is_some(),
            controllers: text("/sys/fs/cgroup/cgroup.controllers"),
            modules: text("/sys/kernel/security/lsm").unwrap_or_default(),
            kernel: text("/proc/sys/kernel/osrelease").unwrap_or_default(),
        }
    }

    /// What a person does to get the layer. `has_users`: that of users holds.
    pub(super) fn remedy(&self, layer: Layer, has_users: bool) -> String {
        if !cfg!(target_os = "linux") {
            return "nothing: this system has nothing like it, or nothing that is used".to_owned();
        }
        match layer {
            Layer::ControlGroup => self.control_group(),
            Layer::Users => self.users(),
            Layer::Mounts | Layer::Processes | Layer::Network | Layer::Ipc | Layer::HostName => {
                if has_users { self.namespaces() } else { "it comes with the layer users".to_owned() }
            }
            Layer::Landlock => self.landlock(),
            Layer::SystemCalls => {
                "it needs a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64, and a container or unit that allows seccomp".to_owned()
            }
            Layer::Privileges | Layer::Limits => {
                "every kernel allows it: look what the unit or container of the agent takes away".to_owned()
            }
        }
    }

    fn users(&self) -> String {
        let set = |setting: &str| {
            format!(
                "sysctl -w {setting}, and write it to /etc/sysctl.d/60-wats-agent.conf so that it stays; then restart the agent"
            )
        };
        if self.is_container {
            return self.namespaces();
        }
        if self.clone_allowed == Some(0) {
            return set("kernel.unprivileged_userns_clone=1");
        }
        if self.most_namespaces == Some(0) {
            return set("user.max_user_namespaces=10000");
        }
        if self.apparmor_restricts == Some(1) {
            let words = set("kernel.apparmor_restrict_unprivileged_userns=0");
            return format!("{words}. Or give /usr/bin/wats-agent an AppArmor profile with the rule userns");
        }
        self.namespaces()
    }

    fn namespaces(&self) -> String {
        if self.is_container {
            return "this is a container: its runtime has to allow the call unshare, with --security-opt seccomp=… \
                    (Docker, Podman) or securityContext.seccompProfile (Kubernetes)"
                .to_owned();
        }
        if self.is_service {
            return "the agent's unit must not have RestrictNamespaces=, and its SystemCallFilter= has to allow unshare, \
                    mount and pivot_root: compare it with that of the package (systemctl cat wats-agent@NAME)"
                .to_owned();
        }
        "the kernel's settings allow it: look for a security module that forbids it (dmesg)".to_owned()
    }

    fn control_group(&self) -> String {
        let Some(controllers) = &self.controllers else {
            return "this machine has cgroup v1 or a hybrid: boot it with systemd.unified_cgroup_hierarchy=1 on the kernel's command line".to_owned();
        };
        let lacking: Vec<_> = ["memory", "pids"]
            .into_iter()
            .filter(|it| !controllers.split_whitespace().any(|has| has == *it))
            .collect();
        if !lacking.is_empty() {
            return format!(
                "the kernel gives cgroup v2 no controller {} here: boot it without cgroup_disable=, and without control groups of version 1 that hold it",
                lacking.join(", ")
            );
        }
        if self.is_service {
            return "the agent's unit needs Delegate=cpu memory pids and no ProtectControlGroups=: systemctl edit wats-agent@NAME, then restart it".to_owned();
        }
        "run it as the package's service, whose unit has Delegate=cpu memory pids: what is started by hand has no group of its own".to_owned()
    }

    fn landlock(&self) -> String {
        if self.modules.is_empty() || self.modules.contains("landlock") {
            return format!(
                "it needs Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK; this is {}",
                self.kernel
            );
        }
        format!("the kernel leaves it out: boot it with lsm=landlock,{} on its command line", self.modules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_layer_says_what_to_do_on_this_machine() {
        let plain = Machine {
            controllers: Some("cpu memory pids".to_owned()),
            modules: "capability,yama,apparmor".to_owned(),
            kernel: "6.1.0-13-amd64".to_owned(),
            ..Machine::default()
        };
        let users = |machine: Machine| machine.remedy(Layer::Users, false);
        let debian = users(Machine { clone_allowed: Some(0), ..plain.clone() });
        assert!(debian.starts_with("sysctl -w kernel.unprivileged_userns_clone=1, and write it"), "{debian}");
        let ubuntu = users(Machine { clone_allowed: Some(1), apparmor_restricts: Some(1), ..plain.clone() });
        assert!(ubuntu.contains("apparmor_restrict_unprivileged_userns=0"), "{ubuntu}");
        let none = users(Machine { most_namespaces: Some(0), ..plain.clone() });
        assert!(none.contains("max_user_namespaces"), "{none}");
        let container = users(Machine { is_container: true, clone_allowed: Some(0), ..plain.clone() });
        assert!(container.contains("seccompProfile"), "{container}");
        let service = Machine { is_service: true, ..plain.clone() };
        assert!(users(service.clone()).contains("RestrictNamespaces="));
        assert_eq!(plain.remedy(Layer::Network, false), "it comes with the layer users");

        let group = |machine: &Machine| machine.remedy(Layer::ControlGroup, true);
        assert!(group(&service).contains("Delegate=cpu memory pids and no ProtectControlGroups="));
        assert!(group(&plain).starts_with("run it as the package's service"));
        let old = Machine { controllers: None, ..plain.clone() };
        assert!(group(&old).contains("systemd.unified_cgroup_hierarchy=1"));
        let poor = Machine { controllers: Some("cpu pids".to_owned()), ..plain.clone() };
        assert!(group(&poor).contains("no controller memory"));

        let landlock = plain.remedy(Layer::Landlock, true);
        assert!(
            landlock.ends_with("lsm=landlock,capability,yama,apparmor on its command line"),
            "{landlock}"
        );
        let old = Machine { modules: String::new(), kernel: "5.10.0".to_owned(), ..plain };
        assert!(old.remedy(Layer::Landlock, true).ends_with("this is 5.10.0"));
        for layer in Layer::ALL {
            assert!(!Machine::here().remedy(layer, true).is_empty());
        }
    }
}
