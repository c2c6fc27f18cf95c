"""Every result that a converter can give, by the first word of the file."""
import asyncio
from datetime import timedelta

from pywats_client.converters import ConverterResult, FileConverter, PostProcessAction, ValidationResult
from pywats_client.exceptions import ConverterError


def report(serial):
    return {"type": "T", "pn": "P", "sn": serial, "rev": "A", "processCode": 10, "result": "P", "machineName": "M",
            "location": "L", "purpose": "U", "start": "2026-01-01T00:00:00+01:00", "uut": {"user": "x"},
            "root": {"stepType": "SequenceCall", "name": "Main", "group": "M", "status": "P",
                     "seqCall": {"path": "a", "name": "b", "version": "1"}, "steps": []}}


class Results(FileConverter):
    name = "results"
    file_patterns = ["*.txt"]

    def validate(self, source, context):
        word = source.read_text().split()[0]
        if word == "incomplete":
            return ValidationResult.not_ready(missing=["the second file"], retry_after=timedelta(seconds=90))
        if word == "foreign":
            return ValidationResult.no_match("not mine")
        if word == "unsure":
            return ValidationResult.pattern_match("perhaps")
        return ValidationResult.perfect_match(message="mine", detected_part_number="P")

    def convert(self, source, context):
        word = source.read_text().split()[0]
        return getattr(self, "_" + word)()

    def _unsure(self):
        return ConverterResult.success_result(report=report("u"))

    def _several(self):
        return ConverterResult.success_result(reports=[report(str(number)) for number in range(3)], warnings=["line 7"])

    def _wronglist(self):
        return ConverterResult.success_result(report=[report("1"), report("2")])

    def _plain(self):
        return report("plain")

    async def _later(self):
        await asyncio.sleep(0)
        return ConverterResult.success_result(report=report("async"), source="x", source_id=4)

    def _failed(self):
        return ConverterResult.failed_result(error="line 3 has no value", warnings=["odd"])

    def _suspended(self):
        return ConverterResult.suspended_result(reason="the second file is missing", retry_after=timedelta(minutes=2))

    def _skipped(self):
        return ConverterResult.skipped_result(reason="calibration")

    def _rejected(self):
        return ConverterResult.rejected_result(reason="not mine", confidence=0.1, threshold=0.2)

    def _delete(self):
        return ConverterResult.success_result(report=report("d"), post_action=PostProcessAction.DELETE)

    def _keep(self):
        return ConverterResult.success_result(report=report("k"), post_action=PostProcessAction.KEEP)

    def _nothing(self):
        return None

    def _empty(self):
        return ConverterResult.success_result()

    def _number(self):
        return 7

    def _raises(self):
        raise ConverterError("the header is torn")

    def _divides(self):
        return 1 / 0

    def _exits(self):
        raise SystemExit(3)

    def _misses(self):
        return {}["serial"]

    def _imports(self):
        import acme_measurement_library

        return acme_measurement_library

    def _deep(self):
        return self._deep()

    def _nopart(self):
        return {"sn": "1", "processCode": 10}

    def _badvalue(self):
        made = report("b")
        made["root"]["steps"] = [{"stepType": "ET_NLT", "name": "U", "value": "5,1"}]
        return made

    def _twice(self):
        return {**report("t"), "part_number": "Q"}

    def _contradiction(self):
        made = report("c")
        made["root"]["steps"] = [{"stepType": "ET_NLT", "name": "U", "status": "F",
                                  "numericMeas": [{"value": 1, "status": "P", "compOp": "LOG"}]}]
        return made
