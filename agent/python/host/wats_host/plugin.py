"""The file of a plug-in: loading it, and finding its converters."""

import importlib.util
import inspect
import os
import re
import sys
from pathlib import Path

from . import describe
from .explain import explain
from .mend import mend


class PluginError(Exception):
    """The plug-in cannot be used. The text says why."""


class Plugin:
    """A loaded file with its converters by name."""

    def __init__(self, path):
        path = Path(os.path.abspath(path))
        self.is_folder = path.is_dir()
        mend(_bases())
        self.file = path / "main.py" if self.is_folder else path
        self.folder = str(self.file.parent)
        if not self.file.is_file():
            raise PluginError(f"there is no file {self.file}")
        # A folder is the plug-in's own, so its modules come first. A single file may lie beside others, whose names
        # must not hide those of Python's library.
        if self.is_folder:
            sys.path.insert(0, self.folder)
        else:
            sys.path.append(self.folder)
        self.module = self._load()
        self.own = [
            module
            for module in list(sys.modules.values())
            if isinstance(getattr(module, "__file__", None), str) and module.__file__.startswith(self.folder + os.sep)
        ]
        if self.module not in self.own:
            self.own.append(self.module)
        self.classes = self._by_name()
        if not self.classes:
            raise PluginError(
                f"{self.file.name} has no converter: no class that derives from FileConverter, FolderConverter,"
                f" ScheduledConverter or ConverterBase and has all that it must have{self._lacking()}"
            )

    def _load(self):
        name = re.sub(r"\W", "_", self.file.parent.name if self.is_folder else self.file.stem) or "plugin"
        if name in sys.modules or name in sys.stdlib_module_names:
            name = f"plugin_{name}"
        spec = importlib.util.spec_from_file_location(name, self.file)
        if spec is None:
            raise PluginError(f"{self.file.name} is no Python file: its name must end in .py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            raise PluginError(f"{self.file.name} cannot be loaded: {explain(error, self.folder)}") from None
        return module

    def _candidates(self):
        """The classes of the file in the order in which they stand there; of a folder, also those it imports from itself."""
        own = {module.__name__ for module in self.own}
        classes = [item for item in vars(self.module).values() if inspect.isclass(item) and item.__module__ in own]
        return list(dict.fromkeys(classes))

    def _by_name(self):
        found = {}
        for cls in self._candidates():
            style = style_of(cls)
            if style is None or cls.__name__.startswith("_") or _missing(cls, style):
                continue
            converter = Converter(whole(cls, style), style, self)
            name, count = converter.name, 1
            while converter.name in found:
                count += 1
                converter.name = f"{name[:60]}-{count}"
            found[converter.name] = converter
        return found

    def _lacking(self):
        for cls in self._candidates():
            style = style_of(cls)
            missing = _missing(cls, style) if style is not None else ()
            if missing:
                return f" ({cls.__name__} lacks {', '.join(sorted(missing))})"
        return ""


def _bases():
    from pywats_client import converters
    from pywats_client.converters import base  # noqa: F401, which makes it a member

    return converters


def style_of(cls):
    """How a class is written: "file", "folder", "scheduled", "base" (the older style), "text" (the third), or None."""
    bases = _bases()
    if cls in (bases.FileConverter, bases.FolderConverter, bases.ScheduledConverter, bases.ConverterBase):
        return None
    if issubclass(cls, bases.ScheduledConverter):
        return "scheduled"
    if issubclass(cls, bases.FolderConverter):
        return "folder"
    if issubclass(cls, bases.FileConverter):
        return "file"
    if issubclass(cls, bases.ConverterBase):
        own = cls.convert_file is not bases.ConverterBase.convert_file
        return "text" if not own and callable(getattr(cls, "convert", None)) else "base"
    return None


def _missing(cls, style):
    """The abstract methods that the class lacks. The third style has another one than its base asks for."""
    missing = set(getattr(cls, "__abstractmethods__", ()))
    if style == "text":
        missing -= {"convert_file", "name"}
    elif style == "base" and cls.convert_file is _bases().ConverterBase.convert_file:
        missing.add("convert_file")
    return missing


def whole(cls, style):
    """The class, or one like it that can be made although its base asks for more."""
    lacking = getattr(cls, "__abstractmethods__", ())
    if style != "text" or not lacking:
        return cls
    members = {"__module__": cls.__module__, "__doc__": cls.__doc__, "convert_file": None, "name": cls.__name__}
    return type(cls.__name__, (cls,), {name: value for name, value in members.items()
                                       if name in lacking or name.startswith("__")})


def slug(title):
    """A name as the protocol takes it."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", title).strip("-").lower()[:64]


class Converter:
    """One class of the file."""

    def __init__(self, cls, style, plugin):
        self.cls, self.style, self.plugin = cls, style, plugin
        #: Names of the constructor's parameters that a person may set.
        self.parameters = _parameters(cls)
        try:
            self._look()
        except BaseException as error:
            raise PluginError(f"{cls.__name__} cannot be used: {explain(error, plugin.folder)}") from None

    def _look(self):
        cls, style = self.cls, self.style
        self.sample = self.make({})
        title = getattr(self.sample, "name", None)
        self.title = title if isinstance(title, str) and title.strip() else cls.__name__
        self.name = slug(self.title) or slug(cls.__name__) or "converter"
        self.keeps = overrides(self.sample, "on_load") or overrides(self.sample, "on_unload")
        self.validates = {
            "file": "validate", "folder": "validate", "base": "validate_file", "text": "matches_file"
        }.get(style)
        if self.validates is not None and not overrides(self.sample, self.validates):
            self.validates = None
        #: Whether it is asked before each conversion.
        self.checks = self.validates is not None or (style == "folder" and overrides(self.sample, "is_folder_ready"))
        self.hooks = overrides(self.sample, "on_success") or overrides(self.sample, "on_failure")
        self.api = _bases()
        #: Its arguments, as the protocol has them and as the class declares them.
        self.declared = [(describe.argument(name, item), item) for name, item in describe.definitions(self).items()]

    def make(self, arguments):
        """A new instance, with those arguments that its constructor takes."""
        given = {name: arguments[name] for name in self.parameters if name in arguments}
        return self.cls(**given)


def overrides(instance, name):
    """Whether the plug-in has a method of its own of that name, not that of a base class of pyWATS."""
    for cls in type(instance).__mro__:
        if name in vars(cls):
            return not cls.__module__.startswith(("pywats_client.", "pywats."))
    return False


def _parameters(cls):
    if cls.__init__ is object.__init__ or cls.__init__.__module__.startswith(("pywats_client", "wats_host", "abc")):
        return {}
    try:
        signature = inspect.signature(cls.__init__)
    except (TypeError, ValueError):
        return {}
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: parameter.default
        for name, parameter in list(signature.parameters.items())[1:]
        if parameter.kind in plain and name != "priority"
        and isinstance(parameter.default, (str, int, float, bool, type(None)))
    }
