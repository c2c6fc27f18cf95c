"""The base class of converters that take a whole folder."""

import fnmatch
from abc import ABC, abstractmethod
from pathlib import Path

from ._common import About, Hooks, Reading
from .models import ConverterType, FileInfo, PostProcessAction, ValidationResult


class FolderConverter(About, Hooks, Reading, ABC):
    """Derive from this, give a `name`, and write `convert`."""

    def __init__(self, *_given, **_also):
        super().__init__()

    @property
    @abstractmethod
    def name(self):
        """The converter's name, as people see it."""

    @abstractmethod
    def convert(self, source, context):
        """Converts the folder and returns a ConverterResult."""

    @property
    def converter_type(self):
        return ConverterType.FOLDER

    @property
    def folder_patterns(self):
        return ["*"]

    @property
    def readiness_marker(self):
        return "COMPLETE.marker"

    @property
    def min_file_count(self):
        return None

    @property
    def expected_files(self):
        return None

    @property
    def preserve_folder_structure(self):
        return True

    @property
    def arguments_schema(self):
        return {}

    @property
    def default_post_action(self):
        return PostProcessAction.MOVE

    def matches_pattern(self, path):
        return FileInfo(path).matches_any_pattern(self.folder_patterns)

    def is_folder_ready(self, folder_path, context=None):
        folder = Path(folder_path)
        if not self.matches_pattern(folder):
            return False
        names = [entry.name for entry in folder.iterdir() if entry.is_file()]
        count = self.min_file_count
        if count is not None:
            if sum(name != self.readiness_marker for name in names) < count:
                return False
        for pattern in self.expected_files or ():
            if not any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names):
                return False
        marker = self.readiness_marker
        return marker is None or marker in names

    def validate(self, source, context):
        if source.path is not None and self.matches_pattern(source.path):
            return ValidationResult.pattern_match("the folder's name fits")
        return ValidationResult.no_match("the folder's name does not fit " + ", ".join(self.folder_patterns))

    def list_files(self, folder, pattern="*", recursive=False):
        folder = Path(folder)
        found = folder.rglob(pattern) if recursive else folder.glob(pattern)
        return sorted(file for file in found if file.is_file())

    def read_marker_data(self, folder):
        """The text of the marker file, or None where there is none."""
        marker = self.readiness_marker
        path = Path(folder) / marker if marker else None
        return path.read_text(encoding="utf-8", errors="replace") if path is not None and path.is_file() else None

    def delete_marker(self, folder):
        """Removes the marker. False where it cannot: the source is read-only here, and the host clears it away."""
        marker = self.readiness_marker
        if not marker:
            return False
        try:
            (Path(folder) / marker).unlink()
        except OSError:
            return False
        return True
