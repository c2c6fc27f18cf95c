"""The import paths, names, members and signatures that converter files rely on."""

import importlib
import sys
import tempfile
import unittest
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "compat"))

PATHS = {
    "pywats_client.converters": """
        SourceType ConverterType ConversionStatus PostProcessAction ArgumentType FileInfo ConverterSource
        ValidationResult ConverterResult ArgumentDefinition ConversionRecord FailureRecord FileConverter FolderConverter
        ScheduledConverter ConverterContext ConverterBase LegacyConverterResult SeicaXMLConverter TeradyneICTConverter
        TeradyneSpectrumICTConverter WATSStandardTextConverter WATSStandardJsonConverter WATSStandardXMLConverter
        SandboxCapability ResourceLimits SandboxConfig ConverterValidator ConverterSandbox SandboxError
        SandboxTimeoutError SandboxSecurityError ConverterError FileFormatError FileAccessError ConverterConfigError""",
    "pywats_client.converters.base": """
        ConverterBase ConverterArguments CSVConverter ConversionStatus PostProcessAction FileInfo ConverterResult""",
    "pywats_client.converters.models": """
        SourceType ConverterType ConversionStatus PostProcessAction ArgumentType FileInfo ConverterSource
        ValidationResult ConverterResult ArgumentDefinition ConversionRecord FailureRecord""",
    "pywats_client.converters.file_converter": "FileConverter",
    "pywats_client.converters.folder_converter": "FolderConverter",
    "pywats_client.converters.scheduled_converter": "ScheduledConverter",
    "pywats_client.converters.context": "ConverterContext",
    "pywats_client.converters.conversion_log": "ConversionLog ConversionLogEntry",
    "pywats_client.converters.standard": """
        WATSStandardTextConverter WATSStandardJsonConverter WATSStandardXMLConverter ATMLConverter SeicaXMLConverter
        TeradyneICTConverter TeradyneSpectrumICTConverter KeysightTestExecSLConverter KlippelConverter SPEAConverter
        XJTAGConverter AIConverter""",
    "pywats_client.converters.example_csv": "CSVTestConverter",
    "pywats_client.exceptions": "ClientError ConverterError",
    "pywats.core.logging": "get_logger",
    "pywats.domains.report.report_models": "UUTReport UURReport StepStatus ReportStatus SequenceCall",
    "pywats.domains.report.report_models.uut.uut_info": "UUTInfo",
    "pywats.domains.report.report_models.uut.step": "StepStatus",
    "pywats.domains.report.report_models.uut.steps": "CompOp",
    "pywats.domains.report.report_models.uut.steps.sequence_call": "SequenceCall",
    "pywats.domains.report.report_models.uut.steps.generic_step": "FlowType",
    "pywats.domains.report.report_models.common_types": "StepStatus ReportStatus ReportResult",
    "pywats.domains.report.report_models.misc_info": "MiscInfo",
    "pywats.domains.report.report_models.sub_unit": "SubUnit",
    "pywats.domains.report.report_models.chart": "Chart ChartSeries ChartType",
    "pywats.models": """
        UUTReport UURReport UUTInfo UURInfo Report ReportStatus Step StepStatus MiscInfo SubUnit Chart ChartSeries
        ChartType CompOp ReportAsset ReportAttachment AdditionalData BinaryData AssetStats UURSubUnit UURFailure""",
    "pywats.shared.enums": "CompOp",
    "pywats.tools": "ReportBuilder",
    "pywats.tools.report_builder": "ReportBuilder",
}

MEMBERS = {
    "SourceType": "FILE file FOLDER folder DATABASE database API api",
    "ConverterType": "FILE file FOLDER folder SCHEDULED scheduled",
    "ConversionStatus": "SUCCESS success FAILED failed SUSPENDED suspended SKIPPED skipped REJECTED rejected",
    "PostProcessAction": "DELETE delete MOVE move ZIP zip KEEP keep",
    "ArgumentType": "STRING string INTEGER integer FLOAT float BOOLEAN boolean PATH path CHOICE choice PASSWORD password",
    "StepStatus": "Passed P Failed F Skipped S Done D Error E Terminated T",
    "ReportStatus": "Passed P Failed F Done D Error E Terminated T",
    "ChartType": "LINE Line LINE_LOG_XY LineLogXY LINE_LOG_X LineLogX LINE_LOG_Y LineLogY",
    "CompOp": " ".join(
        f"{name} {name}" for name in (
            "LOG EQ EQT NE LT LE GT GE CASESENSIT IGNORECASE GTLT GTLE GELT GELE LTGT LTGE LEGT LEGE").split()),
}


class Names(unittest.TestCase):
    def test_every_import_path(self):
        for path, names in PATHS.items():
            module = importlib.import_module(path)
            for name in names.split():
                self.assertTrue(hasattr(module, name), f"{path}.{name}")

    def test_every_member(self):
        from pywats import models as report
        from pywats_client.converters import models

        for name, members in MEMBERS.items():
            kind = getattr(models, name, None) or getattr(report, name)
            words = members.split()
            self.assertEqual([(m.name, m.value) for m in kind], list(zip(words[::2], words[1::2])), name)

    def test_flow_types(self):
        from pywats.domains.report.report_models.uut.steps.generic_step import FlowType

        for member, value in {"If": "NI_Flow_If", "Case": "NI_Flow_Case", "Wait": "NI_Wait", "Lock": "NI_Lock",
                              "Goto": "Goto", "Action": "Action", "GenericTest": "GT", "Semaphore": "NI_Semaphore",
                              "ForEach": "NI_Flow_ForEach", "Rendezvous": "NI_Rendezvous"}.items():
            self.assertEqual(FlowType[member].value, value)

    def test_one_result_class(self):
        from pywats_client.converters import ConverterResult, LegacyConverterResult

        self.assertIs(ConverterResult, LegacyConverterResult)


class Enumerations(unittest.TestCase):
    def test_statuses_take_words(self):
        from pywats.models import StepStatus

        for word, letter in {"pass": "P", "OK": "P", "Failed": "F", "ng": "F", "skipped": "S", "complete": "D",
                             "ERR": "E", "aborted": "T", "term": "T"}.items():
            self.assertEqual(StepStatus(word).value, letter)
        self.assertRaises(ValueError, StepStatus, "perhaps")
        self.assertTrue(StepStatus.Passed.is_passing and StepStatus.Failed.is_failure)
        self.assertEqual(StepStatus.Done.full_name, "Done")

    def test_operators(self):
        from pywats.shared.enums import CompOp

        self.assertEqual(CompOp.GELE.get_limits_requirement(), (True, True))
        self.assertEqual(CompOp.LE.get_limits_requirement(), (True, False))
        self.assertTrue(CompOp.GELE.validate_limits(1, 2) and not CompOp.GELE.validate_limits(1))
        self.assertTrue(CompOp.GELE.evaluate(1, 1, 2) and not CompOp.GTLT.evaluate(1, 1, 2))
        self.assertTrue(CompOp.LTGT.evaluate(0, 1, 2) and CompOp.LE.evaluate(1, 1) and CompOp.LOG.evaluate(9))
        self.assertTrue(CompOp.IGNORECASE.evaluate("A", "a") and not CompOp.CASESENSIT.evaluate("A", "a"))
        self.assertFalse(CompOp.GE.evaluate(float("nan"), 0))


class DataClasses(unittest.TestCase):
    def test_sources(self):
        from pywats_client.converters import ConverterSource, FileInfo

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "A.Log"
            file.write_text("x")
            info = FileInfo(file)
            self.assertEqual((info.name, info.stem, info.extension, info.size), ("A.Log", "A", ".log", 1))
            self.assertTrue(info.matches_pattern("*.LOG") and not info.matches_any_pattern(["*.txt"]))
            source = ConverterSource.from_file(file)
            self.assertEqual((source.primary_name, source.is_file, source.read_text()), ("A.Log", True, "x"))
            self.assertEqual(source.folder_path, Path(folder))
            whole = ConverterSource.from_folder(folder)
            self.assertEqual((whole.files, whole.is_folder), ([file], True))
            self.assertEqual(whole.get_files_by_pattern("*.log"), [file])
        record = ConverterSource.from_database_record("7", {"host": "x"})
        self.assertEqual(record.primary_name, "7")

    def test_validation(self):
        from pywats_client.converters import ValidationResult

        self.assertEqual(ValidationResult.perfect_match(message="m", detected_part_number="P").confidence, 1.0)
        self.assertEqual(ValidationResult.good_match().confidence, 0.8)
        self.assertEqual(ValidationResult.partial_match("m").confidence, 0.5)
        self.assertEqual(ValidationResult.pattern_match().check_thresholds(), (True, False))
        self.assertFalse(ValidationResult.no_match("r").can_convert)
        waiting = ValidationResult.not_ready(missing=["a"])
        self.assertEqual((waiting.ready, waiting.retry_after), (False, timedelta(seconds=60)))
        self.assertEqual(ValidationResult(True, 7).confidence, 1.0)

    def test_results(self):
        from pywats_client.converters import ConverterResult, PostProcessAction

        made = ConverterResult.success_result(reports=[{}, {}], source="s", source_id=1)
        self.assertTrue(made.success and made.has_multiple_reports)
        self.assertEqual(ConverterResult.success_result(report={"a": 1}).get_all_reports(), [{"a": 1}])
        self.assertEqual(ConverterResult.failed_result(error="e").post_action, PostProcessAction.KEEP)
        self.assertEqual(ConverterResult.suspended_result(reason="r").retry_after, timedelta(seconds=60))
        self.assertEqual(ConverterResult.skipped_result(reason="r").error, "r")

    def test_arguments(self):
        from pywats_client.converters import ArgumentDefinition, ArgumentType

        whole = ArgumentDefinition(arg_type=ArgumentType.INTEGER, min_value=1, max_value=3, required=True)
        self.assertTrue(whole.validate(2)[0] and whole.validate(True)[0])
        self.assertFalse(whole.validate("2")[0] or whole.validate(4)[0] or whole.validate(None)[0])
        text = ArgumentDefinition(arg_type=ArgumentType.STRING, pattern=r"[A-Z]+\d")
        self.assertTrue(text.validate("AB1x")[0] and not text.validate("1")[0])
        self.assertTrue(ArgumentDefinition(arg_type=ArgumentType.PATH).validate(7)[0])
        self.assertFalse(ArgumentDefinition(arg_type=ArgumentType.CHOICE, choices=["a"]).validate("b")[0])

    def test_records(self):
        from pywats_client.converters import ConversionRecord, ConversionStatus, FailureRecord

        record = ConversionRecord(Path("a"), "c")
        record.record_attempt(ConversionStatus.SUSPENDED, suspend_reason="r", retry_after=timedelta(hours=1))
        self.assertTrue(record.should_retry() and not record.is_due_for_retry())
        self.assertEqual(FailureRecord(Path("a"), "c", "e").attempts, 1)

    def test_context(self):
        from pywats_client.converters import ConverterContext

        context = ConverterContext.from_config({"station_name": "S", "done_folder": "/d", "other": 1})
        context.set_argument("a", 1)
        self.assertTrue(context.has_argument("a"))
        self.assertEqual((context.get_argument("a"), context.get_argument("b", 2)), (1, 2))
        self.assertEqual([context.check_confidence(c) for c in (0.1, 0.3, 0.9)], ["reject", "alarm", "accept"])
        self.assertEqual(context.get_done_path("x"), Path("/d/x"))
        self.assertRaises(ValueError, context.get_error_path, "x")
        self.assertEqual(context.copy_with(station_name="T").station_name, "T")
        self.assertEqual(context.to_dict()["done_folder"], "/d")

    def test_conversion_log(self):
        import json
        import os

        from pywats_client.converters.conversion_log import ConversionLog

        with tempfile.TemporaryDirectory() as folder:
            os.environ["TMPDIR"] = folder
            with self.assertRaises(KeyError), ConversionLog.create_for_file("a b.txt") as log:
                log.step("Parse", metadata={"n": 1})
                log.error("torn", exception=KeyError("x"))
            del os.environ["TMPDIR"]
            lines = [json.loads(line) for line in log.path.read_text().splitlines()]
            self.assertTrue(log.path.name.startswith("a_b_"))
        self.assertEqual([line["step"] for line in lines], ["START", "Parse", "Conversion", "FAILED"])

    def test_schedules(self):
        from pywats_client.converters import ScheduledConverter

        class Nightly(ScheduledConverter):
            name = "n"
            cron_expression = "30 2 * * mon-fri"

            async def run(self, context):
                return []

        saturday = datetime(2026, 1, 31, 12)
        self.assertEqual(Nightly().calculate_next_run(saturday), datetime(2026, 2, 2, 2, 30))
        self.assertEqual(Nightly().get_schedule_description(), "cron 30 2 * * mon-fri")
        Nightly.cron_expression = "61 * * * *"
        self.assertRaises(ValueError, Nightly().calculate_next_run)


class Reports(unittest.TestCase):
    def test_either_name_and_unknown_ones(self):
        from pywats.models import UUTReport

        one = UUTReport(pn="P", sn="SUPPRESS:S/1", process_code=10, station_name="M", nonsense=1)
        other = UUTReport(pn="P", sn="S/1", processCode="10", machineName="M")
        dump = {"mode": "json", "by_alias": True, "exclude_none": True}
        shown, again = one.model_dump(**dump), other.model_dump(**dump)
        for made in (shown, again):
            del made["id"], made["start"]
        self.assertEqual(shown, again)
        self.assertEqual((shown["machineName"], shown["processCode"], shown["sn"]), ("M", 10, "S/1"))

    def test_what_is_wrong_is_said(self):
        from pywats.models import UUTReport

        with self.assertRaisesRegex(ValueError, "needs pn, process_code"):
            UUTReport(sn="S")
        root = UUTReport(pn="P", sn="S", process_code=10).get_root_sequence_call()
        with self.assertRaisesRegex(ValueError, "value must be a number, and is 'x'"):
            root.add_numeric_step(name="n", value="x")
        with self.assertRaises(ValueError):
            root.add_boolean_step(name="n", status="perhaps")

    def test_a_report_can_be_read_back(self):
        from pywats.models import UUTReport

        report = UUTReport(pn="P", sn="S", process_code=10)
        root = report.get_root_sequence_call()
        root.add_sequence_call("below").add_numeric_step(name="n", value=float("nan"))
        root.add_multi_string_step(name="s").add_measurement(name="a", value="b")
        text = report.model_dump_json(by_alias=True, exclude_none=True)
        self.assertIn('"NaN"', text)
        back = UUTReport.model_validate_json(text)
        self.assertEqual(back.get_root_sequence_call().count_steps(), 3)
        self.assertEqual(back.model_dump_json(by_alias=True, exclude_none=True), text)

    def test_a_repair(self):
        from pywats.models import UURReport

        repair = UURReport(pn="P", sn="S", rev="A")
        repair.sub_units[0].add_failure(category="C", code="D", com_ref="R1")
        made = repair.model_dump(mode="json", by_alias=True, exclude_none=True)
        self.assertEqual(made["subUnits"][0]["failures"], [{"category": "C", "code": "D", "comRef": "R1"}])
        self.assertEqual((made["processCode"], made["purpose"]), (500, "Repair"))


if __name__ == "__main__":
    unittest.main()
