"""The trivial converter of the benchmark: a CSV file with 40 measurements."""
import csv

from pywats_client.converters import ConverterResult, FileConverter


def report_of(path):
    """The report of a file, as a dictionary."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        steps, failed = [], False
        for row in rows:
            value, low, high = float(row["value"]), float(row["low"]), float(row["high"])
            status = "P" if low <= value <= high else "F"
            failed = failed or status == "F"
            steps.append({"stepType": "ET_NLT", "group": "M", "name": row["test"], "status": status, "numericMeas": [
                {"name": row["test"], "value": value, "unit": row["unit"], "compOp": "GELE", "lowLimit": low,
                 "highLimit": high, "status": status}]})
    result = "F" if failed else "P"
    return {"type": "T", "pn": row["part"], "sn": row["serial"], "rev": "A", "processCode": 10, "result": result,
            "machineName": "ST1", "location": "Lab", "purpose": "Production", "start": row["start"],
            "root": {"stepType": "SequenceCall", "group": "M", "name": "MainSequence Callback", "status": result,
                     "seqCall": {"name": "bench", "path": "bench", "version": "1"}, "steps": steps}}


class BenchConverter(FileConverter):
    name = "bench"
    file_patterns = ["*.csv"]

    def convert(self, source, context):
        return ConverterResult.success_result(report=report_of(source.path))
