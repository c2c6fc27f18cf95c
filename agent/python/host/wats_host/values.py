"""Single values of a report, made fit for the wire or refused in words."""

import base64
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?$")
_STATUS = {
    word: letter
    for letter, words in {
        "P": "p pass passed passing ok success successful",
        "F": "f fail failed failing failure ng",
        "S": "s skip skipped",
        "D": "d done complete completed",
        "E": "e err error errored",
        "T": "t term terminate terminated abort aborted",
    }.items()
    for word in words.split()
}


class Wrong(Exception):
    """Something in a report cannot be sent. The path to it grows on the way up."""

    def __init__(self, words, *path):
        super().__init__(words)
        self.words = words
        self.path = list(path)

    def below(self, name):
        self.path.insert(0, name)
        return self

    def __str__(self):
        return f"{': '.join(self.path)}: {self.words}" if self.path else self.words


class Notes:
    """What was repaired in a report, said once however often it was needed; and how large the report is."""

    def __init__(self):
        self.counts = {}
        self.steps = []
        self.characters = 0
        self.zone = timezone.utc

    def add(self, words):
        self.counts[words] = self.counts.get(words, 0) + 1

    def clear(self):
        self.counts.clear()
        self.steps = []
        self.characters = 0

    def sentences(self):
        return [words if count == 1 else f"{words} ({count} times)" for words, count in self.counts.items()]


#: Those of the report that is being made; there is one at a time.
notes = Notes()


def shown(value):
    """A value for a message, short."""
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "..."


def kind(value):
    return type(value).__name__


def _plain_text(value):
    if isinstance(value, str):
        return value.value if isinstance(value, Enum) else str(value)
    if isinstance(value, Enum):
        return _plain_text(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal, UUID, PurePath)):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        raise Wrong(f"must be a text, and is bytes: decode them first, as in value.decode('utf-8') ({shown(value)})")
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return _plain_text(value.item())
    raise Wrong(f"must be a text, and is {kind(value)}")


def text(value):
    """A text as the format takes it."""
    if type(value) is not str:
        value = _plain_text(value)
    if not value.isprintable():
        cleaned = _CONTROL.sub("", value)
        if cleaned != value:
            notes.add("characters that no report can hold were left out of a text")
            value = cleaned
    return value


def short(most):
    """A text of at most so many characters."""

    def make(value):
        value = text(value).strip()
        if len(value) > most:
            notes.add(f"a text of more than {most} characters was cut: {shown(value)}")
            return value[:most].rstrip()
        return value

    return make


def number(value):
    """A number; the three that JSON cannot write become texts."""
    t = type(value)
    if t is float:
        if value - value == 0.0:
            return value
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if t is int:
        return value
    if isinstance(value, (bytes, bytearray)) or isinstance(value, (list, tuple, dict)):
        raise Wrong(f"must be a number, and is {kind(value)} ({shown(value)})")
    if isinstance(value, Enum):
        value = value.value
    try:
        return number(float(value))
    except (TypeError, ValueError):
        hint = ": write the decimal point as '.'" if isinstance(value, str) and "," in value else ""
        raise Wrong(f"must be a number, and is {shown(value)}{hint}") from None
    except OverflowError:
        raise Wrong(f"is a number too large to be sent ({shown(value)})") from None


def whole(value):
    if type(value) is int:
        return value
    made = number(value.strip() if isinstance(value, str) else value)
    if isinstance(made, str) or made != int(made):
        raise Wrong(f"must be a whole number, and is {shown(value)}")
    return int(made)


def flag(value):
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes")
    return bool(value)


def status(value):
    """The letter of a status, also given as a word."""
    if type(value) is not str:
        if isinstance(value, Enum):
            value = value.value
        elif isinstance(value, bool):
            return "P" if value else "F"
        if not isinstance(value, str):
            raise Wrong(f"must be a status (P, F, D, S, E or T), and is {shown(value)}")
    letter = _STATUS.get(value) or _STATUS.get(value.strip().lower())
    if letter is None:
        raise Wrong(f"must be a status (P, F, D, S, E, T or their words), and is {shown(value)}")
    return letter


def moment(value):
    """A point in time with its offset. One without is in the station's zone."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is not None else value.replace(tzinfo=notes.zone)).isoformat()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=notes.zone).isoformat()
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Wrong(f"must be a time, and is {kind(value)} ({shown(value)})")
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(value, notes.zone).isoformat()
        if value[10:11] == "T" and value[-6:-5] in ("+", "-") and value[-3:-2] == ":":
            # As most write it: only looked at.
            try:
                datetime.fromisoformat(value)
                return value
            except ValueError:
                pass
        found = _ISO.match(value.strip())
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second, fraction, offset = found.groups()
        micros = int((fraction or "0").ljust(6, "0")[:6])
        at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micros)
        if offset is None:
            return at.replace(tzinfo=notes.zone).isoformat()
        if offset in "Zz":
            return at.replace(tzinfo=timezone.utc).isoformat()
        minutes = int(offset[1:3]) * 60 + int(offset[3:].lstrip(":") or 0)
        return at.replace(tzinfo=timezone(timedelta(minutes=minutes if offset[0] == "+" else -minutes))).isoformat()
    except (ValueError, OverflowError, OSError):
        raise Wrong(f"must be a time such as 2026-01-31T12:00:00+01:00, and is {shown(value)}") from None


def identity(value):
    try:
        return str(value if isinstance(value, UUID) else UUID(str(value).strip()))
    except ValueError:
        raise Wrong(f"must be a UUID, and is {shown(value)}") from None


def data(value):
    """Base64 of bytes; a text is base64 already."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = base64.b64encode(bytes(value)).decode("ascii")
    elif not isinstance(value, str):
        raise Wrong(f"must be bytes or base64, and is {kind(value)}")
    notes.characters += len(value)
    return value


def points(value):
    """Numbers of a curve, joined by semicolons."""
    if not isinstance(value, str):
        if not hasattr(value, "__iter__"):
            raise Wrong(f"must be a list of numbers, and is {kind(value)}")
        value = ";".join(str(number(point if type(point) is float else _float(point))) for point in value)
    notes.characters += len(value)
    return value


def _float(point):
    made = number(point)
    return made if isinstance(made, str) else float(made)


def free(value, depth=0):
    """A free tree as JSON takes it."""
    t = type(value)
    if t is str:
        return text(value)
    if value is None or t in (int, bool):
        return value
    if t is float:
        return number(value)
    if depth > 40:
        raise Wrong("is nested too deep")
    if isinstance(value, dict):
        made = {}
        for name, item in value.items():
            if not isinstance(name, str):
                raise Wrong(f"has a name that is no text: {shown(name)}")
            made[name] = free(item, depth + 1)
        return made
    if isinstance(value, (list, tuple)):
        return [free(item, depth + 1) for item in value]
    if hasattr(value, "model_dump"):
        return free(value.model_dump(mode="json", by_alias=True, exclude_none=True), depth + 1)
    return _plain_text(value)
