"""What people put into dictionaries."""
import enum
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from pywats_client.converters import ConverterResult, FileConverter


class Colour(enum.Enum):
    RED = "red"


class Float64:
    """As a number of numpy behaves."""

    def __init__(self, value):
        self.value = value

    def __float__(self):
        return self.value

    def item(self):
        return self.value


class OddValues(FileConverter):
    name = "odd_values"

    @property
    def arguments_schema(self):
        return {"limit": {"type": float, "default": 1.0, "max": float("inf"), "min": Decimal("0.5")}}

    def convert(self, source, context):
        word = source.read_text().strip()
        base = {"pn": "P", "sn": "S", "processCode": "10", "start": datetime(2026, 1, 31, 12)}
        if word == "fine":
            values = {"nan": float("nan"), "inf": float("inf"), "minus": float("-inf"), "decimal": Decimal("1.5"),
                      "numpy": Float64(2.5), "text": "1.25", "big": 10**30, "none": None}
            steps = [{"stepType": "ET_NLT", "name": name, "value": value} for name, value in values.items()]
            steps += [
                {"stepType": "ET_SVT", "name": "enum", "value": Colour.RED},
                {"stepType": "ET_SVT", "name": "path", "value": Path("a/b")},
                {"stepType": "ET_SVT", "name": "date", "value": date(2026, 1, 2)},
                {"stepType": "ET_SVT", "name": "long", "value": "x" * 300},
                {"stepType": "ET_SVT", "name": "control \x07", "value": "a\x00b\ud800"},
                {"stepType": "Action", "name": "file", "attachment": {"name": "a.bin", "data": b"\x00\x01"}},
                {"stepType": "Chart", "name": "curve",
                 "chart": {"label": "c", "series": [{"name": "s", "xdata": [1, 2], "ydata": (0.5, Float64(1.0))}]}},
            ]
            return ConverterResult.success_result(report={
                **base, "id": UUID(int=7), "misc_infos": {"order": 5, "none": None}, "sequence_name": "s.seq",
                "additionalData": [{"name": "d", "props": [{"name": "p", "type": "String", "value": "v"}]}],
                "root": {"steps": steps}, "somethingElse": 1})
        wrong = {
            "bytes": {"name": "x", "stepType": "ET_SVT", "value": b"abc"},
            "object": {"name": "x", "stepType": "ET_SVT", "value": object()},
            "list": {"name": "x", "stepType": "ET_NLT", "value": [1]},
            "status": {"name": "x", "status": "NOK"},
        }
        if word == "cycle":
            step = {"name": "x", "steps": []}
            step["steps"].append(step)
            wrong["cycle"] = step
        return ConverterResult.success_result(report={**base, "root": {"steps": [wrong[word]]}})
