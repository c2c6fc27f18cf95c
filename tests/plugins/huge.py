from pywats.models import UUTReport
from pywats_client.converters import ConverterResult, FileConverter


class Huge(FileConverter):
    name = "huge"

    def convert(self, source, context):
        report = UUTReport(pn="P", sn="S", rev="A", process_code=10, station_name="ST", location="L", purpose="P")
        root = report.get_root_sequence_call()
        for outer in range(10):
            below = root.add_sequence_call(f"sequence {outer}")
            for inner in range(1000):
                below.add_numeric_step(name=f"step {inner}", value=inner / 7, unit="V")
        step = root.add_boolean_step(name="file", status="P")
        step.add_attachment(name="big.bin", data=bytes(6_000_000)) if hasattr(step, "get_step_path") else None
        return ConverterResult.success_result(report=report)
