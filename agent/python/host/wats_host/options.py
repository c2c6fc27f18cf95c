"""The command line of the host, and where imports come from."""

import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent.parent.parent
COMPAT = SUPPORT / "compat"
ENVIRONMENTS = ("auto", "pywats", "compat")


class Options:
    """What was asked for."""

    def __init__(self):
        self.environment = "auto"
        self.packages = []
        self.lifted = []
        self.plugin = None


def read(arguments):
    """Reads the command line, and ends the program where it is wrong."""
    chosen = Options()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("--environment", "--packages", "--lifted") and rest:
            value = rest.pop(0)
            if word == "--lifted":
                chosen.lifted.append(value)
            elif word == "--packages":
                chosen.packages.append(value)
            elif value in ENVIRONMENTS:
                chosen.environment = value
            else:
                sys.exit(f"--environment must be one of {', '.join(ENVIRONMENTS)}, and is {value!r}")
        elif word.startswith("-") or chosen.plugin is not None:
            sys.exit(f"{word!r} is not understood: wats_plugin_host.py [--environment E] [--packages FOLDER] [--lifted PART] PLUGIN")
        else:
            chosen.plugin = word
    if chosen.plugin is None:
        sys.exit("which plug-in? wats_plugin_host.py [--environment E] [--packages FOLDER] [--lifted PART] PLUGIN")
    return chosen


def shipped():
    """The folders of the packages that are installed beside the host for this interpreter; none where there are none."""
    made = SUPPORT / "pywats" / "packages"
    return [str(folder) for folder in (made / sys.implementation.cache_tag, made / "common") if folder.is_dir()]


def prepare_imports(chosen):
    """Sets what `import pywats` and `import pywats_client` find, and says which it is."""
    sys.path.extend(chosen.packages)
    if chosen.environment != "compat":
        sys.path.extend(shipped())
        found = importlib.machinery.PathFinder.find_spec("pywats_client")
        if found is not None and importlib.machinery.PathFinder.find_spec("pywats") is not None:
            _without_its_root(found)
            return "pywats"
        if chosen.environment == "pywats":
            raise ImportError(
                "the package pywats-api is not installed for this Python: install the package wats-agent-pywats,"
                ' or set environment = "compat" for the plug-in'
            )
    sys.path.insert(0, str(COMPAT))
    return "compat"


def _without_its_root(found):
    """The published client's root module starts its service and its windows, which need Qt. Converters need neither:
    the modules below the root are imported without it."""
    root = types.ModuleType("pywats_client", "The published client, without its service and windows.")
    root.__spec__ = found
    root.__path__ = list(found.submodule_search_locations)
    root.__file__ = found.origin
    sys.modules["pywats_client"] = root
    sys.meta_path.insert(0, _ToolsFinder)


class _ToolsFinder:
    """Adds the report builder to the published package: the guides use `pywats.tools.report_builder`, and it is not
    in there."""

    @staticmethod
    def find_spec(name, path=None, _target=None):
        if name not in ("pywats.tools", "pywats.tools.report_builder"):
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)
        folder = COMPAT / "pywats" / "tools"
        if name == "pywats.tools.report_builder":
            return found or importlib.util.spec_from_file_location(name, folder / "report_builder.py")
        if found is None:
            return importlib.util.spec_from_file_location(
                name, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
        found.loader = _WithBuilder(found.loader)
        return found


class _WithBuilder:
    """Loads `pywats.tools`, and lets it know the names of the report builder."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        before = vars(module).get("__getattr__")

        def by_name(name):
            if name in ("ReportBuilder", "quick_report"):
                return getattr(importlib.import_module("pywats.tools.report_builder"), name)
            if before is not None:
                return before(name)
            raise AttributeError(f"module 'pywats.tools' has no attribute {name!r}")

        module.__getattr__ = by_name
