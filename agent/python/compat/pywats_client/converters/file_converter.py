"""The base class of converters that take one file at a time."""

from abc import ABC, abstractmethod

from ._common import About, Hooks, Reading
from .models import ConverterType, FileInfo, PostProcessAction, ValidationResult


class FileConverter(About, Hooks, Reading, ABC):
    """Derive from this, give a `name`, and write `convert`."""

    def __init__(self, *_given, **_also):
        # A guide passes `priority=`, which has no effect here.
        super().__init__()

    @property
    @abstractmethod
    def name(self):
        """The converter's name, as people see it."""

    @abstractmethod
    def convert(self, source, context):
        """Converts the source and returns a ConverterResult."""

    @property
    def converter_type(self):
        return ConverterType.FILE

    @property
    def file_patterns(self):
        return ["*"]

    @property
    def arguments_schema(self):
        return {}

    @property
    def default_post_action(self):
        return PostProcessAction.MOVE

    def matches_pattern(self, path):
        return FileInfo(path).matches_any_pattern(self.file_patterns)

    def validate(self, source, context):
        if source.path is not None and self.matches_pattern(source.path):
            return ValidationResult.pattern_match("the file's name fits")
        return ValidationResult.no_match("the file's name does not fit " + ", ".join(self.file_patterns))
