"""What converters have in common."""

from pathlib import Path


class About:
    """What a converter says of itself, where it says nothing."""

    @property
    def version(self):
        return "1.0.0"

    @property
    def description(self):
        return ""

    @property
    def author(self):
        return ""


class Reading:
    """Helpers for reading, and the two properties that a host sets."""

    source_path = None
    trusted_mode = False

    def read_file_text(self, path, encoding="utf-8", errors="replace"):
        return Path(path).read_text(encoding=encoding, errors=errors)

    def read_file_lines(self, path, encoding="utf-8", strip=True):
        lines = self.read_file_text(path, encoding).splitlines()
        return [line.strip() for line in lines] if strip else lines

    def read_file_bytes(self, path):
        return Path(path).read_bytes()


class Hooks:
    """Called by the host; a converter overrides those it needs."""

    def on_load(self, context):
        """The converter was loaded."""

    def on_unload(self):
        """The converter will not be called again."""

    def on_success(self, source, result, context):
        """The reports of the source are stored."""

    def on_failure(self, source, result, context):
        """The source could not be converted."""
