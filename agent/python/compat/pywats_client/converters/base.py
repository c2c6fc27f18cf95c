"""The older base class of converters, and the example that came with it."""

import csv
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Optional

from ._common import About, Reading
from .models import ConversionStatus, ConverterResult, FileInfo, PostProcessAction

__all__ = [
    "ConversionStatus",
    "ConverterArguments",
    "ConverterBase",
    "ConverterResult",
    "CSVConverter",
    "FileInfo",
    "PostProcessAction",
]


@dataclass
class ConverterArguments:
    """The second argument of `convert_file`."""

    api_client: Any = None
    file_info: Optional[FileInfo] = None
    drop_folder: Optional[Path] = None
    done_folder: Optional[Path] = None
    error_folder: Optional[Path] = None
    user_settings: Dict[str, Any] = field(default_factory=dict)
    conversion_log: Any = None


class ConverterBase(About, Reading, ABC):
    """Derive from this, give a `name`, and write `convert_file`, or `convert(content, file_path)`."""

    priority = 5

    def __init__(self, priority=5, *_given, **_also):
        super().__init__()
        self.priority = priority
        self.user_settings = {}

    @property
    @abstractmethod
    def name(self):
        """The converter's name, as people see it."""

    def convert_file(self, file_path, args):
        """Converts the file and returns a ConverterResult.

        A class that has `convert(content, file_path)` instead is given the text of the file, and what it returns
        is the report.
        """
        convert = getattr(self, "convert", None)
        if convert is None:
            raise NotImplementedError(f"{type(self).__name__} has neither convert_file nor convert")
        report = convert(self.read_file_text(file_path), Path(file_path))
        if isinstance(report, ConverterResult):
            return report
        if report is None:
            return ConverterResult.skipped_result("the converter returned nothing")
        return ConverterResult.success_result(report=report)

    @property
    def supported_extensions(self):
        return ["*"]

    @property
    def supported_mime_types(self):
        return []

    def validate_file(self, file_info):
        extensions = [extension.lower() for extension in self.supported_extensions]
        known = file_info.extension in extensions or file_info.extension.lstrip(".") in extensions
        if extensions and not known and not {"*", ".*", "*.*"} & set(extensions):
            return False, f"the extension {file_info.extension or '(none)'} is none of {', '.join(extensions)}"
        types = self.supported_mime_types
        if types and file_info.mime_type and file_info.mime_type not in types:
            return False, f"the type {file_info.mime_type} is none of {', '.join(types)}"
        return True, "the extension fits"

    def on_success(self, file_path, result, args):
        """The reports of the file are stored."""

    def on_failure(self, file_path, result, args):
        """The file could not be converted."""

    def validate_report(self, report):
        return [f"{name} is missing" for name in ("partNumber", "serialNumber", "result") if not report.get(name)]

    def get_arguments(self):
        return {}


class CSVConverter(ConverterBase):
    """An example: one unit in the first row of data of a CSV file."""

    _PASSED = ("pass", "passed", "p", "ok")

    @property
    def name(self):
        return "CSV Converter"

    @property
    def description(self):
        return "The first row of a CSV file: part number, serial number, result"

    @property
    def supported_extensions(self):
        return [".csv"]

    def get_arguments(self):
        return {
            "delimiter": {"type": "string", "default": ",", "description": "What separates the columns"},
            "encoding": {"type": "string", "default": "utf-8", "description": "How the text is encoded"},
            "skip_header": {"type": "bool", "default": True, "description": "The first row names the columns"},
            "part_number_column": {"type": "int", "default": 0, "min": 0},
            "serial_number_column": {"type": "int", "default": 1, "min": 0},
            "result_column": {"type": "int", "default": 2, "min": 0},
            "post_action": {"type": "choice", "default": "move", "choices": ["move", "zip", "delete", "keep"]},
        }

    def convert_file(self, file_path, args):
        settings = {name: about["default"] for name, about in self.get_arguments().items()}
        settings.update(self.user_settings)
        settings.update(args.user_settings if args is not None else {})
        with open(file_path, newline="", encoding=settings["encoding"]) as text:
            rows = [row for row in csv.reader(text, delimiter=settings["delimiter"]) if row]
        if settings["skip_header"]:
            rows = rows[1:]
        if not rows:
            return ConverterResult.failed_result("the file has no row of data")
        try:
            part, serial, result = (
                rows[0][int(settings[f"{what}_column"])].strip() for what in ("part_number", "serial_number", "result")
            )
        except IndexError:
            return ConverterResult.failed_result(f"the first row has only {len(rows[0])} columns")
        if not serial:
            return ConverterResult.suspended_result("the row has no serial number yet")
        passed = result.lower() in self._PASSED
        report = {"type": "T", "pn": part, "sn": serial, "result": "P" if passed else "F", "processCode": 10}
        return ConverterResult.success_result(
            report=report, post_action=PostProcessAction(settings["post_action"]), records_processed=1
        )
