"""Converter for the log files of our ACME testers (line 3)."""
from datetime import datetime

from pywats.core.logging import get_logger
from pywats.domains.report.report_models import UUTReport
from pywats.domains.report.report_models.uut.steps import CompOp
from pywats.domains.report.report_models.uut.uut_info import UUTInfo
from pywats_client.converters import (
    ArgumentDefinition,
    ArgumentType,
    ConverterContext,
    ConverterResult,
    ConverterSource,
    FileConverter,
    PostProcessAction,
    ValidationResult,
)

logger = get_logger(__name__)


class AcmeLogConverter(FileConverter):

    @property
    def name(self) -> str:
        return "ACME Log"

    @property
    def version(self) -> str:
        return "2.1.0"

    @property
    def description(self) -> str:
        return "Log files of the ACME testers"

    @property
    def author(self) -> str:
        return "Test engineering"

    @property
    def file_patterns(self):
        return ["*.log", "*.acme"]

    @property
    def arguments_schema(self):
        return {
            "process_code": ArgumentDefinition(
                arg_type=ArgumentType.INTEGER, default=10, description="Operation", min_value=1, max_value=999
            ),
            "mode": ArgumentDefinition(arg_type=ArgumentType.CHOICE, default="normal", choices=["normal", "zip"]),
            "api_key": ArgumentDefinition(arg_type=ArgumentType.PASSWORD, required=False),
        }

    def validate(self, source: ConverterSource, context: ConverterContext) -> ValidationResult:
        first = self.read_file_lines(source.path)[:1]
        if not first or not first[0].startswith("ACME"):
            return ValidationResult.no_match("does not begin with ACME")
        if first[0].startswith("ACME?"):
            return ValidationResult.good_match(confidence=0.4, message="an old header")
        serial = first[0].split(";")[1]
        return ValidationResult.good_match(confidence=0.9, message="begins with ACME", detected_serial_number=serial)

    def convert(self, source: ConverterSource, context: ConverterContext) -> ConverterResult:
        with open(source.path, encoding="utf-8") as log:
            header, *lines = log.read().splitlines()
        _, serial, part, at = header.split(";")
        report = UUTReport(
            pn=part,
            sn=serial,
            rev="B",
            process_code=context.get_argument("process_code", 10),
            station_name=context.station_name,
            location="Lab",
            purpose="Production",
            result="P",
            start=datetime.strptime(at, "%Y-%m-%d %H:%M:%S"),
        )
        report.info = UUTInfo(operator="kari", exec_time=12.5, socket_index=1)
        report.add_misc_info(description="Source", value=source.primary_name)
        root = report.get_root_sequence_call()
        failed = False
        for number, line in enumerate(lines, 1):
            name, value, low, high = line.split("=")
            passed = float(low) <= float(value) <= float(high)
            failed = failed or not passed
            root.add_numeric_step(
                name=name,
                value=float(value),
                unit="V",
                comp_op=CompOp.GELE,
                low_limit=float(low),
                high_limit=float(high),
                status="P" if passed else "F",
            )
        if failed:
            report.result = "F"
        logger.info("%d steps", len(lines))
        action = PostProcessAction.ZIP if context.get_argument("mode") == "zip" else PostProcessAction.MOVE
        return ConverterResult.success_result(report=report, post_action=action)
