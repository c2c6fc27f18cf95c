"""The names of the client's sandbox. Here the operating system holds the box, whatever a Python file says."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Set

from ..exceptions import SandboxError, SandboxSecurityError, SandboxTimeoutError

__all__ = [
    "ConverterSandbox",
    "ConverterValidator",
    "ResourceLimits",
    "SandboxCapability",
    "SandboxConfig",
    "SandboxError",
    "SandboxSecurityError",
    "SandboxTimeoutError",
]


class SandboxCapability(str, Enum):
    """What a converter may ask for. The plug-in's settings of the appliance decide what it gets."""

    READ_INPUT = "read_input"
    READ_DROP = "read_drop"
    WRITE_OUTPUT = "write_output"
    WRITE_TEMP = "write_temp"
    NETWORK_LOCAL = "network_local"
    NETWORK_WATS = "network_wats"
    LOG_INFO = "log_info"
    LOG_DEBUG = "log_debug"
    READ_ENV_SAFE = "read_env_safe"


@dataclass
class ResourceLimits:
    """The limits that the appliance sets by default."""

    timeout_seconds: float = 300.0
    cpu_time_seconds: int = 120
    memory_mb: int = 512
    max_open_files: int = 50
    max_processes: int = 1
    max_output_mb: int = 100


@dataclass
class SandboxConfig:
    """What a sandbox would allow."""

    capabilities: Set[SandboxCapability] = field(
        default_factory=lambda: {
            SandboxCapability.READ_INPUT,
            SandboxCapability.WRITE_OUTPUT,
            SandboxCapability.WRITE_TEMP,
            SandboxCapability.LOG_INFO,
        }
    )
    resource_limits: ResourceLimits = field(default_factory=ResourceLimits)


class ConverterValidator:
    """Looks at a converter's source before it runs."""

    def validate(self, path):
        """(True, []): the appliance reads the source itself, before a person enables the plug-in."""
        return True, []

    validate_file = validate
    validate_source = validate


class ConverterSandbox:
    """Cannot be started from a converter."""

    def __init__(self, *_given, **_also):
        raise SandboxError("a converter cannot start a sandbox: the appliance runs every converter in one")
