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
        self.plugin = None


def read(arguments):
    """Reads the command line, and ends the program where it is wrong."""
    chosen = Options()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("--environment", "--packages") and rest:
            value = rest.pop(0)
            if word == "--packages":
                chosen.packages.append(value)
            elif value in ENVIRONMENTS:
                chosen.environment = value
            else:
                sys.exit(f"--environment must be one of {', '.join(ENVIRONMENTS)}, and is {value!r}")
        elif word.startswith("-") or chosen.plugin is not None:
            sys.exit(f"{word!r} is not understood: wats_plugin_host.py [--environment E] [--packages FOLDER] PLUGIN")
        else:
            chosen.plugin = word
    if chosen.plugin is None:
        sys.exit("which plug-in? wats_plugin_host.py [--environment E] [--packages FOLDER] PLUGIN")
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
    _report_builder()


def _report_builder():
    """`pywats.tools.report_builder` is in the guides but not in the package."""
    if importlib.machinery.PathFinder.find_spec("pywats.tools", []) is not None:
        return
    sys.meta_path.append(_ToolsFinder)


class _ToolsFinder:
    """Finds our report builder, last of all."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name == "pywats.tools":
            folder = COMPAT / "pywats" / "tools"
            return importlib.util.spec_from_file_location(
                name, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
        return None
