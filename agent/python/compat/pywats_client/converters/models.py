"""The enumerations and data classes of the converter contract."""

import fnmatch
import mimetypes
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple


class SourceType(str, Enum):
    """Where data comes from."""

    FILE = "file"
    FOLDER = "folder"
    DATABASE = "database"
    API = "api"


class ConverterType(str, Enum):
    """What a converter waits for."""

    FILE = "file"
    FOLDER = "folder"
    SCHEDULED = "scheduled"


class ConversionStatus(str, Enum):
    """How a conversion ended."""

    SUCCESS = "success"
    FAILED = "failed"
    SUSPENDED = "suspended"
    SKIPPED = "skipped"
    REJECTED = "rejected"


class PostProcessAction(str, Enum):
    """What becomes of the source afterwards."""

    DELETE = "delete"
    MOVE = "move"
    ZIP = "zip"
    KEEP = "keep"


class ArgumentType(str, Enum):
    """What kind of value an argument takes."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    PATH = "path"
    CHOICE = "choice"
    PASSWORD = "password"


class FileInfo:
    """A file and what is known of it without reading it."""

    def __init__(self, path):
        self.path = Path(path)
        self.name = self.path.name
        self.stem = self.path.stem
        self.extension = self.path.suffix.lower()
        self.parent = self.path.parent
        # No library that looks into files is asked.
        self.file_type = None

    @classmethod
    def from_path(cls, path):
        return cls(path)

    @property
    def size(self):
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def modified_time(self):
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime)
        except OSError:
            return None

    @property
    def mime_type(self):
        return mimetypes.guess_type(self.name)[0]

    def matches_pattern(self, pattern):
        return fnmatch.fnmatchcase(self.name.lower(), pattern.lower())

    def matches_any_pattern(self, patterns):
        return any(self.matches_pattern(pattern) for pattern in patterns)

    def __repr__(self):
        return f"FileInfo({str(self.path)!r})"


@dataclass
class ConverterSource:
    """What is to be converted: a file, a folder, or a record of a database."""

    source_type: SourceType
    path: Optional[Path] = None
    files: List[Path] = field(default_factory=list)
    metadata: Dict[str, Any] = field(default_factory=dict)
    record_id: Optional[str] = None
    connection_info: Optional[Dict[str, Any]] = None

    def __post_init__(self):
        if self.path is not None and not isinstance(self.path, Path):
            self.path = Path(self.path)

    @property
    def primary_name(self):
        if self.path is not None:
            return self.path.name
        return str(self.record_id or "")

    @property
    def is_file(self):
        return self.source_type == SourceType.FILE

    @property
    def is_folder(self):
        return self.source_type == SourceType.FOLDER

    @property
    def file_info(self):
        return FileInfo(self.path) if self.is_file and self.path is not None else None

    @property
    def folder_path(self):
        """The folder itself, or the one that the file is in."""
        if self.path is None or self.is_folder:
            return self.path
        return self.path.parent

    def get_files_matching(self, pattern):
        wanted = pattern.lower()
        return [file for file in self.files if fnmatch.fnmatchcase(file.name.lower(), wanted)]

    get_files_by_pattern = get_files_matching

    def read_text(self, encoding="utf-8", errors="replace"):
        """The text of the file."""
        if self.path is None or self.is_folder:
            raise ValueError("read_text() needs a source that is a file")
        return self.path.read_text(encoding=encoding, errors=errors)

    def read_bytes(self):
        """The bytes of the file."""
        if self.path is None or self.is_folder:
            raise ValueError("read_bytes() needs a source that is a file")
        return self.path.read_bytes()

    @classmethod
    def from_file(cls, file_path):
        path = Path(file_path)
        return cls(SourceType.FILE, path, [path])

    @classmethod
    def from_folder(cls, folder_path, include_pattern="*", recursive=True):
        folder = Path(folder_path)
        found = folder.rglob(include_pattern) if recursive else folder.glob(include_pattern)
        return cls(SourceType.FOLDER, folder, sorted(file for file in found if file.is_file()))

    @classmethod
    def from_database_record(cls, record_id, connection_info, metadata=None):
        return cls(
            SourceType.DATABASE,
            metadata=dict(metadata or {}),
            record_id=record_id,
            connection_info=connection_info,
        )


@dataclass
class ValidationResult:
    """Whether a converter takes a file, and what it saw in it."""

    can_convert: bool
    confidence: float = 0.0
    detected_part_number: Optional[str] = None
    detected_serial_number: Optional[str] = None
    detected_process: Optional[str] = None
    detected_start_time: Optional[datetime] = None
    detected_result: Optional[str] = None
    detected_station: Optional[str] = None
    message: str = ""
    warnings: List[str] = field(default_factory=list)
    ready: bool = True
    missing_dependencies: List[str] = field(default_factory=list)
    retry_after: Optional[timedelta] = None

    def __post_init__(self):
        self.confidence = max(0.0, min(1.0, float(self.confidence)))

    @property
    def is_below_alarm_threshold(self):
        return self.confidence < 0.5

    def check_thresholds(self, alarm_threshold=0.5, reject_threshold=0.2):
        return self.confidence < alarm_threshold, self.confidence < reject_threshold

    @classmethod
    def perfect_match(cls, message="", **detected):
        return cls(True, 1.0, message=message, **_detected(detected))

    @classmethod
    def good_match(cls, confidence=0.8, message="", **detected):
        return cls(True, confidence, message=message, **_detected(detected))

    @classmethod
    def partial_match(cls, confidence=0.5, message="", **detected):
        if isinstance(confidence, str):
            confidence, message = 0.5, confidence
        return cls(True, confidence, message=message, **_detected(detected))

    @classmethod
    def pattern_match(cls, message="", **detected):
        return cls(True, 0.3, message=message, **_detected(detected))

    @classmethod
    def no_match(cls, reason=""):
        return cls(False, 0.0, message=reason)

    @classmethod
    def not_ready(cls, missing, retry_after=None, confidence=0.7):
        missing = [missing] if isinstance(missing, str) else list(missing)
        return cls(
            True,
            confidence,
            message="waits for " + ", ".join(missing),
            ready=False,
            missing_dependencies=missing,
            retry_after=timedelta(seconds=60) if retry_after is None else retry_after,
        )


def _detected(given):
    """`part_number=` is taken as well as `detected_part_number=`."""
    known = ValidationResult.__dataclass_fields__
    return {
        name if name in known else "detected_" + name: value
        for name, value in given.items()
        if name in known or "detected_" + name in known
    }


@dataclass
class ConverterResult:
    """What came of a conversion."""

    status: ConversionStatus
    report: Any = None
    reports: List[Any] = field(default_factory=list)
    error: Optional[str] = None
    warnings: List[str] = field(default_factory=list)
    metadata: Dict[str, Any] = field(default_factory=dict)
    suspend_reason: Optional[str] = None
    retry_after: Optional[timedelta] = None
    retry_count: int = 0
    post_action: PostProcessAction = PostProcessAction.MOVE
    processing_time_ms: Optional[float] = None
    records_processed: int = 0
    validation: Optional[ValidationResult] = None

    @property
    def success(self):
        return self.status == ConversionStatus.SUCCESS

    @property
    def has_multiple_reports(self):
        return len(self.get_all_reports()) > 1

    def get_all_reports(self):
        if self.reports:
            return list(self.reports)
        if isinstance(self.report, (list, tuple)):
            return list(self.report)
        return [] if self.report is None else [self.report]

    @classmethod
    def success_result(
        cls,
        report=None,
        reports=None,
        post_action=PostProcessAction.MOVE,
        warnings=None,
        metadata=None,
        processing_time_ms=None,
        records_processed=0,
        **_also,
    ):
        """A conversion that gave reports. Other keywords, which guides show, are taken and have no effect."""
        return cls(
            ConversionStatus.SUCCESS,
            report=report,
            reports=list(reports or []),
            post_action=post_action,
            warnings=list(warnings or []),
            metadata=dict(metadata or {}),
            processing_time_ms=processing_time_ms,
            records_processed=records_processed,
        )

    @classmethod
    def failed_result(cls, error="", post_action=PostProcessAction.KEEP, warnings=None, metadata=None, **_also):
        return cls(
            ConversionStatus.FAILED,
            error=str(error),
            post_action=post_action,
            warnings=list(warnings or []),
            metadata=dict(metadata or {}),
        )

    @classmethod
    def suspended_result(cls, reason="", retry_after=None, retry_count=0, metadata=None, **_also):
        return cls(
            ConversionStatus.SUSPENDED,
            suspend_reason=reason,
            retry_after=timedelta(seconds=60) if retry_after is None else retry_after,
            retry_count=retry_count,
            metadata=dict(metadata or {}),
            post_action=PostProcessAction.KEEP,
        )

    @classmethod
    def skipped_result(cls, reason="", **_also):
        return cls(ConversionStatus.SKIPPED, error=reason, post_action=PostProcessAction.KEEP)

    @classmethod
    def rejected_result(cls, reason="", confidence=0.0, threshold=0.2, **_also):
        return cls(
            ConversionStatus.REJECTED,
            error=reason,
            metadata={"confidence": confidence, "threshold": threshold},
            post_action=PostProcessAction.KEEP,
        )


@dataclass
class ArgumentDefinition:
    """An argument that a person may set for a converter."""

    arg_type: ArgumentType = ArgumentType.STRING
    default: Any = None
    description: str = ""
    required: bool = False
    choices: Optional[List[Any]] = None
    min_value: Optional[float] = None
    max_value: Optional[float] = None
    pattern: Optional[str] = None

    def validate(self, value) -> Tuple[bool, str]:
        """Whether a value fits, and why not."""
        if value is None:
            return (False, "a value is required") if self.required else (True, "")
        kind = self.arg_type
        if kind == ArgumentType.INTEGER and not isinstance(value, int):
            return False, f"{value!r} is no whole number"
        if kind == ArgumentType.FLOAT and not isinstance(value, (int, float)):
            return False, f"{value!r} is no number"
        if kind == ArgumentType.BOOLEAN and not isinstance(value, bool):
            return False, f"{value!r} is neither true nor false"
        if kind == ArgumentType.STRING and not isinstance(value, str):
            return False, f"{value!r} is no text"
        if kind == ArgumentType.CHOICE and self.choices is not None and value not in self.choices:
            return False, f"{value!r} is none of {', '.join(map(str, self.choices))}"
        if kind in (ArgumentType.INTEGER, ArgumentType.FLOAT):
            if self.min_value is not None and value < self.min_value:
                return False, f"{value} is less than {self.min_value}"
            if self.max_value is not None and value > self.max_value:
                return False, f"{value} is more than {self.max_value}"
        if kind == ArgumentType.STRING and self.pattern and not re.match(self.pattern, value):
            return False, f"{value!r} does not match {self.pattern}"
        return True, ""


@dataclass
class ConversionRecord:
    """The attempts to convert one source."""

    source_path: Path
    converter_name: str
    created_at: datetime = field(default_factory=datetime.now)
    attempts: int = 0
    last_attempt: Optional[datetime] = None
    last_status: Optional[ConversionStatus] = None
    last_error: Optional[str] = None
    suspend_reason: Optional[str] = None
    next_retry_at: Optional[datetime] = None
    last_confidence: Optional[float] = None

    def record_attempt(self, status, error=None, suspend_reason=None, retry_after=None, confidence=None):
        self.attempts += 1
        self.last_attempt = datetime.now()
        self.last_status = status
        self.last_error = error
        self.suspend_reason = suspend_reason
        self.last_confidence = confidence
        if isinstance(retry_after, (int, float)):
            retry_after = timedelta(seconds=retry_after)
        self.next_retry_at = self.last_attempt + retry_after if retry_after is not None else None

    def should_retry(self, max_attempts=3):
        again = (ConversionStatus.SUSPENDED, ConversionStatus.FAILED)
        return self.last_status in again and self.attempts < max_attempts

    def is_due_for_retry(self):
        return self.next_retry_at is None or datetime.now() >= self.next_retry_at


@dataclass
class FailureRecord:
    """A source that could not be converted."""

    source_path: Path
    converter_name: str
    error: str
    timestamp: datetime = field(default_factory=datetime.now)
    attempts: int = 1
    final_status: ConversionStatus = ConversionStatus.FAILED
    moved_to: Optional[Path] = None
