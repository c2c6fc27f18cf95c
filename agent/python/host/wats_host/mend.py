"""What the guides of the published package show and the package itself lacks."""

import functools
import inspect
from pathlib import Path


def mend(api):
    """Adds it to the classes, each where it is missing."""
    source, validation, result = api.ConverterSource, api.ValidationResult, api.ConverterResult
    _add(source, "read_text", lambda self, encoding="utf-8", errors="replace": Path(self.path).read_text(
        encoding=encoding, errors=errors))
    _add(source, "read_bytes", lambda self: Path(self.path).read_bytes())
    _add(source, "folder_path", property(lambda self: self.path if self.is_folder else Path(self.path).parent))
    _add(source, "get_files_by_pattern", lambda self, pattern: self.get_files_matching(pattern))
    _add(api.FileInfo, "from_path", classmethod(lambda cls, path: cls(Path(path))))
    _add(validation, "partial_match", classmethod(_partial_match))
    for name in ("success_result", "failed_result", "suspended_result", "skipped_result", "rejected_result"):
        _forgive(result, name)
    for base in (api.FileConverter, api.FolderConverter, api.ScheduledConverter):
        _take_priority(base)


def _add(cls, name, member):
    if not hasattr(cls, name):
        setattr(cls, name, member)


def _partial_match(cls, confidence=0.5, message="", **detected):
    if isinstance(confidence, str):
        confidence, message = 0.5, confidence
    return cls.good_match(confidence=confidence, message=message, **detected)


def _forgive(cls, name):
    """Lets a class method ignore the keywords that it does not know, such as `source=`."""
    bound = getattr(cls, name)
    known = inspect.signature(bound).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
        return

    @functools.wraps(bound.__func__)
    def forgiving(cls, *given, **also):
        return bound.__func__(cls, *given, **{name: value for name, value in also.items() if name in known})

    setattr(cls, name, classmethod(forgiving))


def _take_priority(base):
    """A guide passes `priority=` to the constructor, which takes nothing."""
    plain = base.__init__

    def made(self, *given, **also):
        also.pop("priority", None)
        plain(self, *given, **also)

    base.__init__ = made
