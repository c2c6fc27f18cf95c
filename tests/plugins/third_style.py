from pywats_client.converters.base import ConverterBase


class GuideConverter(ConverterBase):
    name = "Guide"
    description = "As the published guide shows it"

    def matches_file(self, file_path):
        return file_path.suffix == ".guide"

    def convert(self, content: str, file_path):
        if not content.strip():
            return None
        serial, part = content.split()[:2]
        return {
            "type": "T",
            "part_number": part,
            "serial_number": serial,
            "revision": "1",
            "process_code": 10,
            "station_name": "ST9",
            "location": "Lab",
            "purpose": "Test",
            "result": "Passed",
            "start": "2026-01-31T12:00:00+01:00",
            "info": {"operator": "me", "exec_time": 1},
            "root": {
                "name": "Main",
                "status": "Passed",
                "step_type": "SequenceCall",
                "steps": [
                    {"step_type": "ET_NLT", "name": "U", "status": "Passed", "value": 5, "unit": "V",
                     "comp_op": "GELE", "low_limit": 4, "high_limit": 6},
                    {"name": "flag", "value": True},
                    {"name": "word", "value": "x"},
                ],
            },
        }
