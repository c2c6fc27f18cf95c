"""What every step has."""

from pathlib import Path

from ..attachment import AdditionalData, ReportAttachment
from ..chart import Chart
from ..common_types import StepStatus
from ..model import Field, Model, a, flag, many, moment, number, one_of, text, whole

status_of = one_of(StepStatus)


def _group(value, name):
    letter = text(getattr(value, "value", value), name)[:1].upper()
    if letter not in ("S", "M", "C"):
        raise ValueError(f"{name} must be S, M or C (setup, main, cleanup), and is {value!r}")
    return letter


def _kind(value, name):
    return text(getattr(value, "value", value), name)


class LoopInfo(Model):
    """Marks a step as the summary of a loop (no `idx`), or as one turn of it."""

    FIELDS = (
        Field("idx", check=whole),
        Field("num", check=whole),
        Field("ending_index", "endingIndex", check=whole),
        Field("passed", check=whole),
        Field("failed", check=whole),
    )

    def __init__(self, **given):
        for short, name in (("i", "idx"), ("n", "num")):
            if short in given:
                given.setdefault(name, given.pop(short))
        super().__init__(**given)


class Step(Model):
    """One node of the tree."""

    STEP_TYPE = "GT"

    FIELDS = (
        Field("step_type", "stepType", check=_kind),
        Field("name", default="StepName", check=text),
        Field("group", default="M", check=_group),
        Field("status", default=StepStatus.Passed, check=status_of),
        Field("id", check=whole),
        Field("error_code", "errorCode", check=whole),
        Field("error_code_format", "errorCodeFormat", check=text),
        Field("error_message", "errorMessage", check=text),
        Field("report_text", "reportText", check=text),
        Field("start", check=moment),
        Field("tot_time", "totTime", check=number),
        Field("tot_time_format", "totTimeFormat", check=text),
        Field("ts_guid", "tsGuid", check=text),
        Field("caused_seq_failure", "causedSeqFailure", check=flag),
        Field("caused_uut_failure", "causedUUTFailure", check=flag),
        Field("interactive_exe_num", "interactiveExeNum", check=whole),
        Field("loop", check=a(LoopInfo)),
        Field("chart", check=a(Chart)),
        Field("attachment", check=a(ReportAttachment)),
        Field("additional_results", "additionalResults", check=many(AdditionalData)),
    )

    parent = None

    def __init__(self, **given):
        super().__init__(**given)
        if self.__dict__["step_type"] is None:
            self.__dict__["step_type"] = self.STEP_TYPE

    def add_chart(self, chart_type="Line", chart_label="", x_label="", x_unit="", y_label="", y_unit="", series=None,
                  label=None):
        """Puts a chart on the step, and returns it for its curves."""
        self.chart = Chart(
            chart_type=chart_type,
            label=chart_label if label is None else label,
            x_label=x_label,
            x_unit=x_unit,
            y_label=y_label,
            y_unit=y_unit,
            series=series or [],
        )
        return self.chart

    def add_attachment(self, attachment=None, name=None, data=None, content_type=None, **other):
        """Puts a file on the step: an attachment, the path of a file, or bytes with a name."""
        if isinstance(attachment, (bytes, bytearray)):
            data, attachment = attachment, None
        if isinstance(attachment, (str, Path)):
            attachment = ReportAttachment.from_file(attachment, name, content_type)
        if attachment is None:
            data = other.get("content", b"") if data is None else data
            attachment = ReportAttachment(
                name=name or other.get("file_name") or "attachment",
                content_type=content_type or other.get("mime_type") or "application/octet-stream",
                data=data,
            )
        self.attachment = attachment
        return self.attachment

    def get_step_path(self):
        """The names from the root to this step."""
        names, step = [], self
        while step is not None:
            names.append(step.name)
            step = step.parent
        return "/".join(reversed(names))

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "parent"}
