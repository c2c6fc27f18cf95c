"""Reads a table once, and wants it to stay."""
from pywats_client.converters import ConverterResult, FileConverter


class LoadedOnce(FileConverter):
    name = "loaded_once"

    def __init__(self, delimiter=";", factor=1.0):
        super().__init__()
        self.delimiter = delimiter
        self.factor = factor

    def on_load(self, context):
        self.loads = getattr(self, "loads", 0) + 1

    def on_unload(self):
        print("unloaded", self.factor)

    def convert(self, source, context):
        self.calls = getattr(self, "calls", 0) + 1
        steps = [{"name": "loads", "value": self.loads}, {"name": "calls", "value": self.calls},
                 {"name": "factor", "value": self.factor}, {"name": "delimiter", "value": self.delimiter}]
        return ConverterResult.success_result(report={"pn": "P", "sn": "S", "processCode": 10, "root": {"steps": steps}})
