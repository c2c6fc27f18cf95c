from datetime import datetime, timezone

from pywats.domains.report.report_models.chart import ChartType
from pywats.domains.report.report_models.common_types import ReportStatus, StepStatus
from pywats.domains.report.report_models.uut.steps.generic_step import FlowType
from pywats.domains.report.report_models.uut.steps.sequence_call import SequenceCall
from pywats.models import CompOp, UUTInfo, UUTReport
from pywats_client.converters import ConverterResult, FileConverter


class EveryStep(FileConverter):
    """Uses every method that makes a step."""

    name = "every_step"

    def convert(self, source, context):
        report = UUTReport(
            id="6fa459ea-ee8a-3ca4-894e-db77e160355e", pn="PN", sn="SN", rev="A", processCode=10, machineName="ST",
            location="L", purpose="P", start=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), unknown_keyword=1,
        )
        report.info = UUTInfo(operator="op", comment="c", exec_time=1.5, fixture_id="F1", socket_index=2,
                              batch_number="B", error_code=0, error_message="m")
        report.add_misc_info(description="Firmware", value="1.2")
        report.add_asset(sn="DMM-1", usage_count=2)
        report.add_sub_unit(part_type="PCBA", sn="S1", pn="P1", rev="A")
        root = report.get_root_sequence_call()
        root.add_numeric_step(name="numeric", value=1.0, unit="V", comp_op=CompOp.GELE, low_limit=0.5, high_limit=1.5,
                              status="P", id=None, group="S", error_code=3, error_message="e", report_text="t",
                              tot_time=0.25)
        root.add_numeric_step(name="infinite", value=float("inf"), comp_op=CompOp.GT, low_limit=1)
        root.add_numeric_step(name="upper limit alone", value=1, comp_op=CompOp.LE, high_limit=2)
        multi = root.add_multi_numeric_step(name="multi numeric", status="F")
        multi.add_measurement(name="a", value=1.0, unit="V", status="P", comp_op=CompOp.LT, low_limit=2.0)
        multi.add_measurement(name="a", value=3.0, unit="V", status="F", comp_op=CompOp.LT, low_limit=2.0)
        multi.add_measurement(name="b", value=3.0, unit="V", status="P")
        root.add_boolean_step(name="boolean", status="P")
        root.add_pass_fail_step(name="pass fail", status="F")
        booleans = root.add_multi_boolean_step(name="multi boolean", status="P")
        booleans.add_measurement(name="x", status="P")
        booleans.add_measurement(name="y", status="P")
        root.add_string_step(name="string", value="abc", comp_op=CompOp.EQ, limit="abc", status="P")
        strings = root.add_multi_string_step(name="multi string", status="P")
        strings.add_measurement(name="x", value="1", status="P", comp_op=CompOp.LOG)
        strings.add_measurement(name="y", value="2", status="P", comp_op=CompOp.IGNORECASE, limit="2")
        below: SequenceCall = root.add_sequence_call("sequence", file_name="s.seq", path="C:/s.seq", version="2.0")
        below.add_action_step("action", status="D")
        below.add_generic_step(step_type=FlowType.If, name="if", status=StepStatus.Done)
        below.add_generic_step(step_type="NI_Wait", name="wait", status="D")
        chart = root.add_chart_step(name="chart", chart_type=ChartType.LINE, label="Curve", x_label="t", x_unit="s",
                                    y_label="U", y_unit="V", series=[])
        chart.chart.add_series(name="one", x_data=[0, 1, 2], y_data=[0.0, 0.5, 1.25])
        step = root.add_boolean_step(name="with a chart", status="P")
        curve = step.add_chart(chart_type=ChartType.LINE_LOG_X, chart_label="c", x_label="f", x_unit="Hz", y_label="g",
                               y_unit="dB")
        curve.add_series("two", [1.0, 10.0], [0.0, -3.0])
        assert root.find_step("numeric").name == "numeric"
        assert root.find_step("action") is not None
        assert {step.name for step in root.get_failed_steps()} == {"multi numeric", "pass fail"}
        report.result = ReportStatus.Failed
        return ConverterResult.success_result(report=report)
