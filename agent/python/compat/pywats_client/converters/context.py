"""What a converter is told about the place where it runs."""

import logging
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Dict, Optional

_FOLDERS = ("drop_folder", "done_folder", "error_folder", "pending_folder")
_log = logging.getLogger("converter")


@dataclass
class ConverterContext:
    """Station, folders and arguments of one conversion."""

    api_client: Any = None
    drop_folder: Optional[Path] = None
    done_folder: Optional[Path] = None
    error_folder: Optional[Path] = None
    pending_folder: Optional[Path] = None
    station_name: str = ""
    station_id: str = ""
    operator: str = ""
    alarm_threshold: float = 0.5
    reject_threshold: float = 0.2
    max_retries: int = 3
    retry_delay_seconds: int = 60
    arguments: Dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    verbose: bool = False
    metadata: Dict[str, Any] = field(default_factory=dict)

    def get_argument(self, name, default=None):
        return self.arguments.get(name, default)

    def set_argument(self, name, value):
        self.arguments[name] = value

    def has_argument(self, name):
        return name in self.arguments

    def check_confidence(self, confidence):
        if confidence < self.reject_threshold:
            return "reject"
        return "alarm" if confidence < self.alarm_threshold else "accept"

    def ensure_folders_exist(self):
        for name in _FOLDERS:
            folder = getattr(self, name)
            if folder is not None:
                Path(folder).mkdir(parents=True, exist_ok=True)

    def get_done_path(self, name):
        return self._in("done_folder", name)

    def get_error_path(self, name):
        return self._in("error_folder", name)

    def get_pending_path(self, name):
        return self._in("pending_folder", name)

    def _in(self, folder, name):
        path = getattr(self, folder)
        if path is None:
            raise ValueError(f"{folder} is not set: the appliance moves the files itself, after the conversion")
        return Path(path) / name

    def log_debug(self, message, *arguments):
        if self.verbose:
            _log.debug(message, *arguments)

    def log_info(self, message, *arguments):
        _log.info(message, *arguments)

    def log_warning(self, message, *arguments):
        _log.warning(message, *arguments)

    def log_error(self, message, *arguments, exc_info=False):
        _log.error(message, *arguments, exc_info=exc_info)

    @classmethod
    def from_config(cls, config, api_client=None):
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in config.items() if name in known}
        for name in _FOLDERS:
            if given.get(name) is not None:
                given[name] = Path(given[name])
        given["api_client"] = api_client
        return cls(**given)

    def to_dict(self):
        shown = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "api_client"}
        for name in _FOLDERS:
            if shown[name] is not None:
                shown[name] = str(shown[name])
        shown["arguments"] = dict(self.arguments)
        shown["metadata"] = dict(self.metadata)
        return shown

    def copy_with(self, **overrides):
        kept = {"arguments": dict(self.arguments), "metadata": dict(self.metadata)}
        return replace(self, **{**kept, **overrides})
