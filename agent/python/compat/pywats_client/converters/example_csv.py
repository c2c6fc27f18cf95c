"""An example: a CSV file with one test in each row, under a header that names the columns."""

import csv

from pywats.models import CompOp, UUTReport

from .file_converter import FileConverter
from .models import ArgumentDefinition, ArgumentType, ConverterResult, ValidationResult

_COLUMNS = {
    "serial": ("serial_number", "sn"),
    "part": ("part_number", "pn"),
    "station": ("station",),
    "process": ("process",),
    "name": ("test_name", "name"),
    "value": ("value",),
    "unit": ("unit",),
    "status": ("status",),
    "result": ("result",),
    "low": ("low_limit",),
    "high": ("high_limit",),
}
_FAILED = ("f", "fail", "failed")
_PASSED = ("p", "pass", "passed")


class CSVTestConverter(FileConverter):
    """Rows with the same serial and part number make one report."""

    @property
    def name(self):
        return "CSV Test Converter"

    @property
    def version(self):
        return "2.0.0"

    @property
    def description(self):
        return "CSV files with one test in each row"

    @property
    def file_patterns(self):
        return ["*.csv"]

    @property
    def arguments_schema(self):
        return {
            "delimiter": ArgumentDefinition(ArgumentType.STRING, ",", "What separates the columns"),
            "encoding": ArgumentDefinition(
                ArgumentType.CHOICE, "utf-8", "How the text is encoded", choices=["utf-8", "utf-16", "latin-1", "cp1252"]
            ),
            "skip_empty_rows": ArgumentDefinition(ArgumentType.BOOLEAN, True, "Rows without any content are left out"),
        }

    def validate(self, source, context):
        try:
            rows = self._rows(source.path, context)
        except (OSError, UnicodeError, csv.Error) as error:
            return ValidationResult.no_match(str(error))
        if not rows:
            return ValidationResult.no_match("no header with a row of data")
        first = rows[0]
        serial, part = first.get("serial"), first.get("part")
        detected = {"detected_serial_number": serial, "detected_part_number": part}
        if "serial" in first and "part" in first and "name" in first:
            return ValidationResult.perfect_match("the header names serial number, part number and test", **detected)
        if "serial" in first or "part" in first:
            return ValidationResult.good_match(0.7, "the header names the unit", **detected)
        return ValidationResult.pattern_match("a header and a row of data")

    def convert(self, source, context):
        rows = self._rows(source.path, context)
        if not rows:
            return ConverterResult.failed_result("the file has no header with a row of data below")
        units = {}
        for row in rows:
            units.setdefault((row.get("serial", ""), row.get("part", "")), []).append(row)
        reports = [self._report(serial, part, unit, context) for (serial, part), unit in units.items()]
        return ConverterResult.success_result(reports=reports, metadata={"rows_processed": len(rows)})

    def _rows(self, path, context):
        encoding = context.get_argument("encoding", "utf-8")
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
        with open(path, newline="", encoding=encoding) as text:
            lines = list(csv.reader(text, delimiter=context.get_argument("delimiter", ",")))
        if not lines:
            return []
        header = [name.strip().lower() for name in lines[0]]
        where = {}
        for wanted, names in _COLUMNS.items():
            column = next((header.index(name) for name in names if name in header), None)
            if column is not None:
                where[wanted] = column
        skip = context.get_argument("skip_empty_rows", True)
        return [
            {name: line[column].strip() if column < len(line) else "" for name, column in where.items()}
            for line in lines[1:]
            if not skip or any(cell.strip() for cell in line)
        ]

    def _report(self, serial, part, rows, context):
        failed = any((row.get("status") or row.get("result", "")).lower() in _FAILED for row in rows)
        process = next((row["process"] for row in rows if row.get("process")), "10")
        report = UUTReport(
            pn=part,
            sn=serial,
            rev="1",
            process_code=int(process),
            station_name=next((row["station"] for row in rows if row.get("station")), context.station_name),
            location=context.metadata.get("location", ""),
            purpose=context.metadata.get("purpose", ""),
            result="F" if failed else "P",
        )
        root = report.get_root_sequence_call()
        for number, row in enumerate(rows, 1):
            self._step(root, row.get("name") or f"Row {number}", row)
        root.status = report.result
        return report

    def _step(self, root, name, row):
        word = (row.get("status") or row.get("result", "")).lower()
        status = "F" if word in _FAILED else "P" if word in _PASSED else "D"
        value, low, high = (_number(row.get(column)) for column in ("value", "low", "high"))
        if value is not None:
            operator = {(True, True): CompOp.GELE, (True, False): CompOp.GE, (False, True): CompOp.LE}.get(
                (low is not None, high is not None), CompOp.LOG
            )
            if operator == CompOp.LE:
                low, high = high, None
            root.add_numeric_step(
                name=name, value=value, unit=row.get("unit") or "", comp_op=operator, low_limit=low, high_limit=high,
                status=status,
            )
        elif row.get("value"):
            root.add_string_step(name=name, value=row["value"], status=status)
        else:
            root.add_boolean_step(name=name, status=status)


def _number(text):
    try:
        return float(text) if text else None
    except ValueError:
        return None
