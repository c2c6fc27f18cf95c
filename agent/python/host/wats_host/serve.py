"""The loop: a request, its answers, and the way back to a clean state."""

import gc
import logging
import os
import sys
import time

from . import guard, options
from .channel import Channel
from .describe import described
from .explain import explain
from .plugin import Plugin, PluginError
from .reset import State
from .work import Refused, Work, enter, words


class _ToChannel(logging.Handler):
    """What the converter logs becomes an answer of the request that runs, else a line on standard error."""

    def __init__(self, channel):
        super().__init__(logging.INFO)
        self.channel = channel
        self.open = False
        self.left = 0

    def emit(self, record):
        text = self.format(record)[:4000]
        if not self.open or self.left <= 0:
            print(text, file=sys.stderr)
            return
        self.left -= 1
        level = "error" if record.levelno >= 40 else "warning" if record.levelno >= 30 else "info"
        self.channel.answer({"answer": "log", "level": level, "text": text})


class Server:
    """One plug-in and its channel."""

    def __init__(self, chosen, requests, answers):
        self.channel = Channel(requests, answers)
        self.logs = _ToChannel(self.channel)
        logging.root.addHandler(self.logs)
        logging.root.setLevel(logging.INFO)
        sys.argv = [chosen.plugin]
        self.plugin, self.broken = None, None
        guard.watch(chosen.lifted)
        try:
            options.prepare_imports(chosen)
            self.plugin = Plugin(chosen.plugin)
        except (PluginError, ImportError) as error:
            self.broken = str(error)
        except BaseException as error:
            self.broken = explain(error, os.path.dirname(os.path.abspath(chosen.plugin)))
        # What is loaded stays; the collector need not look at it for every file.
        gc.collect()
        gc.freeze()
        self.state = State(self.plugin)
        self.scratch = None
        self.zone = None
        self.last = None
        self.kept = {}

    def run(self):
        """Answers until standard input ends."""
        while (request := self.channel.request()) is not None:
            if isinstance(request, str):
                self.channel.answer({"answer": "error", "text": request})
                continue
            self.logs.open, self.logs.left = True, 1000
            last = self._handle(request)
            self.logs.open = False
            self.channel.answer(last)
        self._unload()
        return 0

    def _handle(self, request):
        what = request.get("request")
        if request.get("protocol", 1) != 1:
            return {"answer": "error", "text": f"protocol {request['protocol']!r} is not known: this is protocol 1"}
        if what not in ("describe", "recognise", "convert", "settled"):
            return {"answer": "error", "text": f"the request {what!r} is not known"}
        failed = "error" if what in ("describe", "recognise") else "failed"
        if self.broken is not None:
            return _problem(failed, self.broken)
        try:
            if what == "describe":
                return described(self.plugin)
            return self._call(what, request)
        except Refused as refused:
            return refused.answer
        except ValueError as error:
            # Of the request or the arguments: those of the converter are caught where it is called.
            return _problem(failed, str(error))

    def _call(self, what, request):
        converter = self.plugin.classes.get(request.get("converter"))
        if converter is None:
            known = ", ".join(self.plugin.classes)
            raise ValueError(f"the plug-in has no converter {request.get('converter')!r}: it has {known}")
        self._place(request)
        if what == "settled" and self.last is not None and self.last.converter is converter:
            work = self.last
        else:
            work = Work(converter, request)
        try:
            answer = self._answer(what, work, request)
        except Refused as refused:
            answer = refused.answer
        except BaseException as error:
            failed = "error" if what == "recognise" else "failed"
            answer = _problem(failed, words(error, self.plugin))
            # An instance that broke is not used again.
            self.kept.clear()
        self.last = work if what == "convert" and converter.hooks and work.instance is not None else None
        left = self.state.restore()
        if left:
            text = f"the converter left behind {', '.join(sorted(set(left)))}: its program is started anew"
            self.channel.answer({"answer": "log", "level": "warning", "text": text})
            answer["restart"] = True
        return answer

    def _answer(self, what, work, request):
        if work.instance is None:
            work.take(self._loaded(work))
        if what == "recognise":
            seen = work.recognised()
            if seen is None:
                return {"answer": "error", "text": "the converter recognises files by its patterns"}
            return {"answer": "recognised", **seen}
        if what == "settled":
            work.settled(request)
            return {"answer": "done"}
        warning = work.check()
        if warning is not None:
            self.channel.answer({"answer": "warning", "text": warning})
        work.convert()
        return work.answer(self.channel)

    def _loaded(self, work):
        """The instance that was loaded with the same arguments, of a class that has `on_load`."""
        if not work.converter.keeps:
            return None
        key = (work.converter.name, repr(sorted(work.arguments.items())), work.place.station)
        if key not in self.kept:
            self._unload()
            work.take(None)
            self.kept[key] = work.instance
        return self.kept[key]

    def _unload(self):
        for instance in self.kept.values():
            try:
                instance.on_unload()
            except Exception as error:
                explain(error, self.plugin.folder)
        self.kept.clear()

    def _place(self, request):
        """The station's time zone and the scratch folder, for the script's own use of time and temporary files."""
        zone = (request.get("station") or {}).get("time_zone")
        if zone and zone != self.zone:
            self.zone = zone
            self.state.environment(TZ=zone)
            time.tzset()
        scratch = request.get("scratch")
        if scratch != self.scratch:
            self.scratch = scratch
            if scratch:
                self.state.environment(TMPDIR=scratch)
            tempfile = sys.modules.get("tempfile")
            if tempfile is not None:
                tempfile.tempdir = None
        # It is there already after every file, where the program was started in it.
        if scratch != self.state.folder:
            enter(scratch)


def _problem(answer, words):
    return {"answer": answer, "text" if answer == "error" else "error": words}


def serve(chosen, requests, answers):
    return Server(chosen, requests, answers).run()
