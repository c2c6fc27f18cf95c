from pywats.models import UURReport, UUTReport
from pywats_client.converters import ConverterResult, FileConverter


class Repair(FileConverter):
    """A failed test, and its repair."""

    name = "repair"

    def convert(self, source, context):
        test = UUTReport(pn="P", sn="S", rev="A", process_code=10, station_name="ST", location="L", purpose="P",
                         result="F", start="2026-01-01T10:00:00Z")
        test.get_root_sequence_call().add_boolean_step(name="Lamp", status="F")
        repair = {
            "type": "R", "pn": "P", "sn": "S", "rev": "A", "process_code": 500, "station_name": "ST", "location": "L",
            "purpose": "Repair", "start": "2026-01-02T10:00:00Z",
            "uur": {"user": "fixer", "testOperationCode": 10, "refUUT": str(test.id), "active": True},
            "subUnits": [{"partType": "Main", "pn": "P", "sn": "S", "rev": "A", "idx": 0,
                          "failures": [{"category": "Component", "code": "Burned", "comRef": "R1"}]}],
        }
        return ConverterResult.success_result(reports=[test, repair])
