"""A plug-in of several files."""
from helpers.reading import numbers

from pywats_client.converters import ConverterResult, FileConverter


class Boards(FileConverter):
    name = "boards"

    def convert(self, source, context):
        steps = [{"stepType": "ET_NLT", "name": f"value {n}", "value": value} for n, value in numbers(source.path)]
        return ConverterResult.success_result(report={"pn": "P", "sn": "S", "processCode": 10, "root": {"steps": steps}})
