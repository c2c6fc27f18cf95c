"""What one file must not leave behind for the next.

Reset after every file: environment variables, working directory, umask, arguments and path of the interpreter, signal
handlers and timers, the context of decimal, the locale, the handlers of the root logger, and the plug-in's own globals
and class attributes where they hold plain values. What cannot be taken back (threads that still run, open
descriptors, large containers that changed) makes the program ask to be started anew.

Not reset: modules of others that were changed, and what the plug-in keeps in closures, caches of functools, or
objects of its own classes.
"""

import _signal
import _thread
import copy
import gc
import locale
import logging
import os
import sys
import time

_SIGNALS = sorted(int(number) for number in _signal.valid_signals() if int(number) not in (9, 19))
_PLAIN = (str, int, float, bool, bytes, type(None), tuple, frozenset)
_CONTAINERS = (list, dict, set, bytearray)
#: Containers with more entries are compared by their size alone.
_SMALL = 200
_PATIENCE = 0.5


class State:
    """The state after loading, and the way back to it."""

    def __init__(self, plugin):
        # The bytes below os.environ: comparing these costs nothing.
        self._environment = dict(os.environ._data)
        self.folder = os.getcwd()
        self._umask = os.umask(0o022)
        os.umask(self._umask)
        self._argv = list(sys.argv)
        self._path = list(sys.path)
        self._handlers = list(map(_signal.getsignal, _SIGNALS))
        self._locale = locale.setlocale(locale.LC_ALL)
        self._logging = list(logging.root.handlers), logging.root.level
        self._threads = _thread._count()
        self._recursion = sys.getrecursionlimit()
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._globals = [(scope, _snapshot(scope)) for scope in _scopes(plugin)] if plugin is not None else []
        self._lowest = self._free_descriptor()

    @staticmethod
    def _free_descriptor():
        """The lowest number that is free: a descriptor left open raises it."""
        number = os.dup(0)
        os.close(number)
        return number

    def environment(self, **variables):
        """Sets variables for all files to come."""
        os.environ.update(variables)
        self._environment = dict(os.environ._data)

    def restore(self):
        """Takes back what can be; returns what cannot, in words."""
        left = []
        if os.environ._data != self._environment:
            os.environ.clear()
            os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in self._environment.items()})
        try:
            if os.getcwd() != self.folder:
                os.chdir(self.folder)
        except OSError:
            os.chdir("/")
        os.umask(self._umask)
        if sys.argv != self._argv:
            sys.argv[:] = self._argv
        if sys.path != self._path:
            sys.path[:] = self._path
        if (sys.stdin, sys.stdout, sys.stderr) != self._streams:
            sys.stdin, sys.stdout, sys.stderr = self._streams
        _signal.setitimer(_signal.ITIMER_REAL, 0)
        self._signals()
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
        if sys.getrecursionlimit() != self._recursion:
            sys.setrecursionlimit(self._recursion)
        decimal = sys.modules.get("decimal")
        if decimal is not None:
            decimal.setcontext(decimal.DefaultContext.copy())
        if logging.root.handlers != self._logging[0] or logging.root.level != self._logging[1]:
            logging.root.handlers[:] = self._logging[0]
            logging.root.setLevel(self._logging[1])
        for scope, kept in self._globals:
            _put_back(scope, kept, left)
        if _thread._count() > self._threads and not self._threads_ended():
            left.append("a thread that still runs")
        if self._free_descriptor() != self._lowest:
            # What nobody refers to is closed by the collector.
            gc.collect()
            if self._free_descriptor() != self._lowest:
                left.append("an open file or connection")
        return left

    def _signals(self):
        if list(map(_signal.getsignal, _SIGNALS)) == self._handlers:
            return
        for number, handler in zip(_SIGNALS, self._handlers):
            if _signal.getsignal(number) is not handler:
                # A handler that was not set from Python cannot be set from there.
                _signal.signal(number, handler if handler is not None else _signal.SIG_DFL)

    def _threads_ended(self):
        """Threads of a pool end a moment after the work."""
        until = time.monotonic() + _PATIENCE
        while _thread._count() > self._threads:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True


def _scopes(plugin):
    """The modules of the plug-in and the classes in them."""
    for module in plugin.own:
        yield module
        for item in list(vars(module).values()):
            if isinstance(item, type) and item.__module__ == module.__name__:
                yield item


def _snapshot(scope):
    """What is there, by name: plain values, and containers with a copy."""
    kept = {}
    for name, value in list(vars(scope).items()):
        if name.startswith("__"):
            continue
        if isinstance(value, _CONTAINERS):
            copied = None
            if len(value) <= _SMALL:
                try:
                    copied = copy.deepcopy(value)
                except Exception:
                    copied = None
            kept[name] = value, copied, len(value)
        elif isinstance(value, _PLAIN):
            kept[name] = value, None, None
    return kept


def _put_back(scope, kept, left):
    now = vars(scope)
    for name, (value, copied, size) in kept.items():
        if now.get(name, kept) is not value:
            setattr(scope, name, value)
        if size is None:
            continue
        if copied is None:
            if len(value) != size:
                left.append(f"a changed {name}")
        elif value != copied:
            fresh = copy.deepcopy(copied)
            if isinstance(value, (list, bytearray)):
                value[:] = fresh
            else:
                value.clear()
                value.update(fresh)
