"""A log of one conversion, in JSON lines."""

import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict

_KEEP_DAYS = 30


@dataclass
class ConversionLogEntry:
    """One line of the log."""

    timestamp: str
    level: str
    step: str
    message: str
    metadata: Dict[str, Any] = field(default_factory=dict)

    def to_dict(self):
        return {
            "timestamp": self.timestamp,
            "level": self.level,
            "step": self.step,
            "message": self.message,
            "metadata": self.metadata,
        }

    def to_json(self):
        return json.dumps(self.to_dict(), ensure_ascii=False, default=str)


def _folder():
    # Inside the sandbox only the scratch folder can be written to.
    return Path(os.environ.get("TMPDIR") or os.getcwd()) / "logs" / "conversions"


class ConversionLog:
    """Writes line by line, so that what happened can be read even when the conversion breaks off."""

    def __init__(self, path, file_name="", instance_id="default"):
        self.path = self.log_file_path = Path(path)
        self.file_name = file_name
        self.instance_id = instance_id
        self.entries = []
        self._done = False
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.path, "a", encoding="utf-8")
        self._write("INFO", "START", f"Conversion of {file_name} started", {"file_name": file_name})

    @classmethod
    def create_for_file(cls, file_name, instance_id="default"):
        stem = Path(file_name).stem.replace(" ", "_")
        at = datetime.now().strftime("%Y%m%d_%H%M%S")
        return cls(_folder() / f"{stem}_{at}.log", Path(file_name).name, instance_id)

    def step(self, step_name, message="Started", metadata=None):
        self._write("INFO", step_name, message, metadata)

    def warning(self, message, step="Validation", metadata=None):
        self._write("WARNING", step, message, metadata)

    def error(self, message, step="Conversion", metadata=None, exception=None, raise_after_log=True):
        if exception is not None:
            metadata = dict(metadata or {}, exception=type(exception).__name__, exception_message=str(exception))
        self._write("ERROR", step, message, metadata)
        if exception is not None and raise_after_log:
            raise exception

    def finalize(self, success, report_id=None, error=None, metadata=None):
        if self._done:
            return
        more = dict(metadata or {})
        if report_id is not None:
            more["report_id"] = str(report_id)
        if error is not None:
            more["error"] = str(error)
        if success:
            self._write("INFO", "COMPLETED", "Conversion completed", more)
        else:
            self._write("ERROR", "FAILED", str(error or "Conversion failed"), more)
        self._done = True
        self._file.close()

    def _write(self, level, step, message, metadata=None):
        if self._done:
            return
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = ConversionLogEntry(at, level, step, str(message), dict(metadata or {}))
        self.entries.append(entry)
        self._file.write(entry.to_json() + "\n")
        self._file.flush()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _traceback):
        if not self._done:
            self.finalize(False, error=error if error is not None else "the log was left without a result")
        return False

    @staticmethod
    def cleanup_old_logs(days=_KEEP_DAYS):
        """Removes logs older than so many days, and says how many."""
        oldest = time.time() - days * 86400
        old = [file for file in _folder().glob("*.log") if file.stat().st_mtime < oldest]
        for file in old:
            file.unlink()
        return len(old)
