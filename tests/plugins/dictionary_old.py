import re
from pathlib import Path

from pywats_client.converters.base import (
    ConversionStatus,
    ConverterArguments,
    ConverterBase,
    ConverterResult,
    FileInfo,
    PostProcessAction,
)


class BoardConverter(ConverterBase):
    """The older style, with a dictionary in the older words."""

    def __init__(self):
        super().__init__(priority=3)
        self.count = 0

    @property
    def name(self):
        return "Board tester"

    @property
    def version(self):
        return "0.9"

    @property
    def supported_extensions(self):
        return [".brd", "txt"]

    def get_arguments(self):
        return {
            "limit": {"type": "float", "default": 2.5, "description": "Upper limit", "min": 0, "max": 10},
            "loud": {"type": "bool", "default": False},
            "kind": {"type": "choice", "default": "a", "choices": ["a", "b"]},
        }

    def validate_file(self, file_info: FileInfo):
        if file_info.size == 0:
            return False, "the file is empty"
        return True, "ok"

    def convert_file(self, file_path: Path, args: ConverterArguments) -> ConverterResult:
        self.count += 1
        assert self.count == 1
        limit = args.user_settings["limit"]
        assert self.user_settings["limit"] == limit
        steps = []
        for line in file_path.read_text().splitlines():
            found = re.match(r"(\w+)\s+([\d.]+)", line)
            value = float(found.group(2))
            steps.append({
                "type": "NT", "name": found.group(1), "numericValue": value, "compOp": "LE", "highLimit": limit,
                "unit": "A", "stepStatus": "Passed" if value <= limit else "Failed", "totTime": 0.1,
            })
        steps.append({"type": "PF", "name": "Lamp", "passFailStatus": True, "stepStatus": "Passed"})
        steps.append({"type": "ST", "name": "Version", "stringValue": "1.0", "stringLimit": "1.0", "compOp": "EQ",
                      "stepStatus": "Passed"})
        steps.append({"type": "GEN", "stepType": "Action", "name": "Discharge", "stepStatus": "Done"})
        failed = any(step["stepStatus"] == "Failed" for step in steps)
        report = {
            "type": "Test",
            "processCode": "30",
            "partNumber": "50-1043",
            "partRevision": "C",
            "serialNumber": file_path.stem,
            "result": "F" if failed else "P",
            "start": "2025-03-11T07:42:18",
            "operator": "k.lund",
            "sequenceName": "board.seq",
            "batchSerialNumber": "WO-1",
            "execTime": 3.5,
            "socketIdx": 1,
            "miscInfos": [{"name": "Order", "value": "SO-1"}],
            "uutParts": [{"description": "Sub", "partNumber": "40", "serialNumber": "CB", "revision": "B"}],
            "root": {"type": "SEQ", "name": "Root", "status": "Done", "stepResults": [
                {"type": "SEQ", "name": "Currents", "status": "Failed" if failed else "Passed", "stepResults": steps},
            ]},
        }
        assert self.validate_report(report) == []
        return ConverterResult(status=ConversionStatus.SUCCESS, report=report, post_action=PostProcessAction.DELETE)

    def on_success(self, file_path, result, args):
        print("stored", file_path.name, result.status.value)

    def on_failure(self, file_path, result, args):
        print("not stored", file_path.name, result.error)
