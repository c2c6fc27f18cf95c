"""Statuses and comparison operators."""

import math
from enum import Enum

_WORDS = {
    "P": "p pass passed passing ok success successful",
    "F": "f fail failed failing failure ng",
    "S": "s skip skipped skipping",
    "D": "d done complete completed",
    "E": "e err error errored",
    "T": "t term terminate terminated abort aborted",
}
_LETTER = {word: letter for letter, words in _WORDS.items() for word in words.split()}


class _Status(str, Enum):
    @classmethod
    def _missing_(cls, value):
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, bool):
            value = "P" if value else "F"
        letter = _LETTER.get(value.strip().lower()) if isinstance(value, str) else None
        return next((member for member in cls if member.value == letter), None)

    @property
    def full_name(self):
        return self.name

    @property
    def is_passing(self):
        return self.value in "PDS"

    @property
    def is_failure(self):
        return self.value in "FET"


class StepStatus(_Status):
    """The outcome of a step."""

    Passed = "P"
    Failed = "F"
    Skipped = "S"
    Done = "D"
    Error = "E"
    Terminated = "T"


class ReportStatus(_Status):
    """The outcome of a report."""

    Passed = "P"
    Failed = "F"
    Done = "D"
    Error = "E"
    Terminated = "T"


ReportResult = ReportStatus


class CompOp(str, Enum):
    """How a value is compared with its limits."""

    LOG = "LOG"
    EQ = "EQ"
    EQT = "EQT"
    NE = "NE"
    LT = "LT"
    LE = "LE"
    GT = "GT"
    GE = "GE"
    CASESENSIT = "CASESENSIT"
    IGNORECASE = "IGNORECASE"
    GTLT = "GTLT"
    GTLE = "GTLE"
    GELT = "GELT"
    GELE = "GELE"
    LTGT = "LTGT"
    LTGE = "LTGE"
    LEGT = "LEGT"
    LEGE = "LEGE"

    @classmethod
    def _missing_(cls, value):
        return cls.__members__.get(value.strip().upper()) if isinstance(value, str) else None

    def get_limits_requirement(self):
        """(needs a low limit, needs a high limit). A single limit is the low one."""
        if self is CompOp.LOG:
            return False, False
        return True, len(self.value) == 4

    def validate_limits(self, low_limit=None, high_limit=None):
        """True where exactly the limits that the operator takes are given."""
        return self.get_limits_requirement() == (low_limit is not None, high_limit is not None)

    def evaluate(self, value, low_limit=None, high_limit=None):
        """Whether the value passes."""
        name = self.value
        if name == "LOG":
            return True
        if name == "IGNORECASE":
            return str(value).lower() == str(low_limit).lower()
        if name in ("EQ", "EQT", "CASESENSIT"):
            return value == low_limit
        if name == "NE":
            return value != low_limit
        if isinstance(value, float) and math.isnan(value):
            return False
        if len(name) == 2:
            return _compare(name, value, low_limit)
        low, high = _compare(name[:2], value, low_limit), _compare(name[2:], value, high_limit)
        # GELE and its like name what is inside, LTGT and its like what is outside.
        return (low and high) if name[0] == "G" else (low or high)


def _compare(operator, value, limit):
    if limit is None:
        return True
    if operator == "GT":
        return value > limit
    if operator == "GE":
        return value >= limit
    return value < limit if operator == "LT" else value <= limit
