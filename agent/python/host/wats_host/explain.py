"""What went wrong in a converter, in words that its author can use."""

import linecache
import os
import sys
import traceback

from .guard import NO_PROGRAMS

_HINTS = (
    (ModuleNotFoundError, "a converter imports what is installed for the interpreter of the setting plugins.python, and what is in its own folder"),
    (MemoryError, "the conversion needs more memory than the sandbox allows"),
    (BlockingIOError, "the sandbox allows no further processes or threads"),
)
_LONGEST = 4000


def explain(error, folder):
    """Message, file, line and the line's text. The traceback goes to standard error."""
    traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
    words = f"{_message(error)}{_place(error, folder)}{_hint(error)}"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _message(error):
    if isinstance(error, SystemExit):
        return f"the converter ended the program (sys.exit({error.code!r})): return a result instead"
    if isinstance(error, KeyError) and error.args:
        return f"KeyError: there is no {error.args[0]!r}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, RecursionError):
        return "RecursionError: a function calls itself without end"
    if type(error).__name__ == "ValidationError" and callable(getattr(error, "errors", None)):
        # That of the published model, which takes many lines for each field.
        wrong = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        return f"ValidationError: {getattr(error, 'title', 'the report')}: {'; '.join(wrong)}"
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error, folder):
    if isinstance(error, SyntaxError) and error.filename:
        line = (error.text or linecache.getline(error.filename, error.lineno or 0)).strip()
        return f" ({os.path.basename(error.filename)}, line {error.lineno}: {_excerpt(line)})"
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith(folder + os.sep):
            found = frame.f_code.co_filename, line, frame.f_code.co_name
    if found is None:
        return ""
    name, line, function = found
    excerpt = _excerpt(linecache.getline(name, line).strip())
    where = "" if function == "<module>" else f" in {function}"
    return f" ({os.path.relpath(name, folder)}, line {line}{where}: {excerpt})"


def _excerpt(line):
    return line if len(line) <= 120 else line[:119] + "…"


def _hint(error):
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return ". Hint: the sandbox allows no further processes or threads"
    for kind, words in _HINTS:
        if isinstance(error, kind):
            return f". Hint: {words}"
    if isinstance(error, OSError) and _below(error, ("socket.py", "ssl.py", "asyncio", "urllib", "http", "httpx")):
        return '. Hint: a converter has no network, unless "network" is in the plug-in\'s `trusted`'
    if isinstance(error, PermissionError) and NO_PROGRAMS in str(error):
        return ""
    if isinstance(error, PermissionError) and _below(error, ("subprocess.py", "multiprocessing")):
        return f". Hint: {NO_PROGRAMS}"
    if isinstance(error, PermissionError) and error.filename is None:
        return ". Hint: the sandbox does not let converters do this"
    if isinstance(error, PermissionError) or (isinstance(error, OSError) and error.errno in (30, 1)):
        return ". Hint: a converter reads its input, and writes only in its working directory"
    return ""


def _below(error, names):
    return any(
        any(name in frame.f_code.co_filename for name in names) for frame, _ in traceback.walk_tb(error.__traceback__)
    )
