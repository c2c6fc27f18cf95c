"""Lines of JSON, in and out."""

import json
import os

from .values import Wrong, free, notes

#: A report of more steps or more characters of data is written piece by piece.
_LARGE_STEPS, _LARGE_DATA = 3000, 4_000_000
_PIECE = 1 << 20
#: A pipe takes so much without anybody who reads.
_AT_ONCE = 32 << 10

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


class Channel:
    """Where requests come from and answers go to."""

    def __init__(self, requests, answers):
        self._requests = os.fdopen(requests, "rb", 1 << 16)
        self._answers = answers
        # Reports that go out with the line after them: whoever waits for the last line is woken once.
        self._held = b""

    def request(self):
        """The next request, or None at the end. A line that is none is returned as a text that says why."""
        line = self._requests.readline()
        if not line:
            return None
        try:
            request = json.loads(line)
        except ValueError as error:
            return f"the request is no JSON: {error}"
        return request if isinstance(request, dict) else "the request is no JSON object"

    def answer(self, answer):
        """Writes one answer on one line."""
        try:
            line = _encode(answer)
        except (ValueError, TypeError):
            # A script may give anything for its limits and messages.
            line = _encode(_fit(answer))
        self._write((line + "\n").encode("utf-8", "replace"))

    def report(self, report):
        """Writes a report. A huge one is never there as a whole a second time."""
        if len(notes.steps) < _LARGE_STEPS and notes.characters < _LARGE_DATA:
            self._held += ('{"answer":"report","report":' + _encode(report) + "}\n").encode("utf-8", "replace")
            if len(self._held) > _AT_ONCE:
                self._write(b"")
            return
        pieces, size = [], 0
        for piece in _pieces({"answer": "report", "report": report}):
            pieces.append(piece)
            size += len(piece)
            if size > _PIECE:
                self._write("".join(pieces).encode("utf-8", "replace"))
                pieces, size = [], 0
        pieces.append("\n")
        self._write("".join(pieces).encode("utf-8", "replace"))

    def _write(self, line):
        if self._held:
            line, self._held = self._held + line, b""
        written = os.write(self._answers, line)
        while written < len(line):
            # A copy of what is left is never made.
            line = memoryview(line)[written:]
            written = os.write(self._answers, line)


def _fit(value):
    if isinstance(value, dict):
        return {str(name): _fit(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_fit(item) for item in value]
    try:
        return free(value)
    except Wrong:
        return repr(value)


def _pieces(value):
    """JSON in pieces: what holds steps is opened, everything else is written at once."""
    if isinstance(value, dict) and ("steps" in value or "root" in value or "report" in value):
        separator = "{"
        for name, item in value.items():
            yield f"{separator}{_encode(name)}:"
            yield from _pieces(item)
            separator = ","
        yield "}"
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        separator = "["
        for item in value:
            yield separator
            yield from _pieces(item)
            separator = ","
        yield "]"
    else:
        yield _encode(value)
