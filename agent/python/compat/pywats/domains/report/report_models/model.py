"""The base of all classes of the model: named fields with the names that they have in JSON."""

import copy
import json
import math
from datetime import date, datetime
from enum import Enum
from uuid import UUID

_SIMPLE = (str, int, float, bool, type(None))


class Field:
    """One field: its name in Python, in JSON, its default (called, if it can be), and what makes a value fit."""

    __slots__ = ("alias", "check", "default", "name")

    def __init__(self, name, alias=None, default=None, check=None):
        self.name, self.alias, self.default, self.check = name, alias or name, default, check


class Model:
    """Takes keywords under either name, and ignores those that it does not know."""

    FIELDS = ()

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        fields = {}
        for base in reversed(cls.__mro__):
            for item in base.__dict__.get("FIELDS", ()):
                fields[item.name] = item
        cls._fields = tuple(fields.values())
        cls._checks = {item.name: item.check for item in cls._fields if item.check is not None}
        cls._names = {name: item for item in cls._fields for name in (item.alias, item.name)}

    def __init__(self, **given):
        values = self.__dict__
        for item in self._fields:
            default = item.default
            values[item.name] = default() if callable(default) else default
        names = self._names
        given_fields = values["model_fields_set"] = set()
        for name, value in given.items():
            item = names.get(name)
            if item is None:
                continue
            if item.check is not None and value is not None:
                value = item.check(value, name)
            values[item.name] = value
            given_fields.add(item.name)

    def __setattr__(self, name, value):
        check = self._checks.get(name)
        if check is not None and value is not None:
            value = check(value, name)
        prepared = getattr(type(self), name, None)
        if isinstance(prepared, property):
            object.__setattr__(self, name, value)
            return
        self.__dict__[name] = value
        if name in self._names:
            self.model_fields_set.add(name)

    def model_dump(self, mode="python", by_alias=False, exclude_none=False, **_also):
        """The model as dictionaries and lists."""
        shown = {}
        for item in self._fields:
            value = self.__dict__[item.name]
            if value is None and exclude_none:
                continue
            shown[item.alias if by_alias else item.name] = _plain(value, mode, by_alias, exclude_none)
        return shown

    def model_dump_json(self, by_alias=False, exclude_none=False, indent=None, **_also):
        """The model as JSON, with the texts that stand for numbers that are not finite."""
        return json.dumps(finite(self.model_dump("json", by_alias, exclude_none)), indent=indent, ensure_ascii=False)

    def dict(self, **how):
        return self.model_dump(**how)

    def json(self, **how):
        return self.model_dump_json(**how)

    @classmethod
    def model_validate(cls, given, **_also):
        return given if isinstance(given, cls) else cls(**given)

    @classmethod
    def model_validate_json(cls, text, **_also):
        return cls(**json.loads(text))

    def model_copy(self, update=None, deep=False):
        copied = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            setattr(copied, name, value)
        return copied

    def __copy__(self):
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        copied.__dict__["model_fields_set"] = set(self.model_fields_set)
        return copied

    def __eq__(self, other):
        return type(self) is type(other) and all(
            self.__dict__[item.name] == other.__dict__[item.name] for item in self._fields
        )

    __hash__ = object.__hash__

    def __repr__(self):
        shown = (f"{f.name}={self.__dict__[f.name]!r}" for f in self._fields if self.__dict__[f.name] is not None)
        return f"{type(self).__name__}({', '.join(shown)})"


def _plain(value, mode, by_alias, exclude_none):
    if type(value) in _SIMPLE:
        return value
    if isinstance(value, Model):
        return value.model_dump(mode, by_alias, exclude_none)
    if isinstance(value, (list, tuple)):
        return [_plain(item, mode, by_alias, exclude_none) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, mode, by_alias, exclude_none) for name, item in value.items()}
    if mode != "json":
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value


def finite(value):
    """The same with "NaN", "Infinity" and "-Infinity" for what JSON cannot write."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [finite(item) for item in value]
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    return value


# What makes a value fit. Each takes the value and the name under which it was given.


def text(value, name):
    return (value if isinstance(value, str) else str(value)).strip()


def unit_text(value, name):
    """A serial or part number; the mark that allows unusual characters is not a part of it."""
    return text(value, name).removeprefix("SUPPRESS:")


def whole(value, name):
    if isinstance(value, bool):
        return int(value)
    try:
        number = int(value)
        if not isinstance(value, str) and number != value:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be a whole number, and is {value!r}") from None
    return number


def number(value, name):
    if type(value) is float:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, and is {value!r}") from None


def flag(value, name):
    return bool(value)


def moment(value, name):
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value).astimezone()
    raise ValueError(f"{name} must be a time, and is {value!r}")


def one_of(kind):
    """A member of an enumeration, also given as text."""

    def check(value, name):
        if type(value) is kind:
            return value
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(member.value for member in kind)
            raise ValueError(f"{name} must be one of {known}, and is {value!r}") from None

    return check


def a(kind):
    """An object of a class of the model, also given as a dictionary."""

    def check(value, name):
        if isinstance(value, dict):
            return kind(**value)
        if not isinstance(value, Model):
            raise ValueError(f"{name} must be {kind.__name__}, and is {type(value).__name__}")
        return value

    return check


def many(kind):
    """A list of objects of a class of the model."""
    each = a(kind)

    def check(value, name):
        return [each(item, name) for item in value]

    return check
