//! What holds where the file says nothing.

use std::net::{Ipv4Addr, SocketAddr};

use super::{
    Config, Control, Convert, Delivery, Health, Intake, Plugins, Retention, Sandbox, Server, Storage,
};
use crate::control::api::Station;
use crate::sandbox::MissingLayers;
use crate::system;

impl Default for Config {
    fn default() -> Self {
        Self {
            version: 1,
            station: Station::default(),
            server: Server::default(),
            delivery: Delivery::default(),
            intake: Intake::default(),
            convert: Convert::default(),
            health: Health::default(),
            control: Control::default(),
            retention: Retention::default(),
            storage: Storage::default(),
            plugins: Plugins::default(),
            sandbox: Sandbox::default(),
            sources: Vec::new(),
        }
    }
}

/// This machine: named after its host, in its own time zone.
impl Default for Station {
    fn default() -> Self {
        let zone = jiff::tz::TimeZone::system().iana_name().map(str::to_owned);
        Self {
            name: system::host_name().unwrap_or_else(|| "wats-agent".to_owned()),
            location: String::new(),
            purpose: String::new(),
            time_zone: zone.unwrap_or_else(|| "UTC".to_owned()),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self { url: None, proxy: None, proxy_bypass: Vec::new(), extra_ca: None, register: true }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        Self { paused: false, uploads: 4, requests_per_minute: 500 }
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            paused: false,
            settle_seconds: 2,
            max_file_bytes: 1 << 30,
            rescan_seconds: 60,
            share_timeout_seconds: 20,
        }
    }
}

impl Default for Convert {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // One more than cores: a source may use all but one.
        Self { workers: u32::try_from((cores + 1).clamp(2, 16)).unwrap_or(2), time_limit_seconds: 120 }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self {
            socket: None,
            allow_users: Vec::new(),
            listen: None,
            requests_per_minute: 100,
            service_requests_per_minute: 6000,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 90, percent: 50 }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { folder: None, machine_key: None, least_free_mb: 256 }
    }
}

impl Default for Plugins {
    fn default() -> Self {
        let places = system::places();
        Self {
            folder: None,
            support: places.support,
            python: places.python,
            attempts: 10,
            answer_mb: 64,
            enabled: Vec::new(),
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            missing_layers: MissingLayers::default(),
            seconds: 300,
            processor_seconds: 120,
            memory_mb: 512,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)) }
    }
}
