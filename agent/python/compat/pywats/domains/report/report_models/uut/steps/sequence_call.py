"""The step that holds other steps, and makes them."""

from ...common_types import CompOp, StepStatus
from ...model import Field, Model, a, text
from ..step import Step
from .generic_step import ActionStep, ChartStep, GenericStep
from .measurements import (
    BooleanMeasurement,
    BooleanStep,
    MultiBooleanStep,
    MultiNumericStep,
    MultiStringStep,
    NumericMeasurement,
    NumericStep,
    StringMeasurement,
    StringStep,
)


class SequenceCallInfo(Model):
    """What was called."""

    FIELDS = (
        Field("path", default="C:/SequenceCall.seq", check=text),
        Field("file_name", "name", "TestSequence.seq", text),
        Field("version", default="1.0.0", check=text),
    )


def step_from(value, name="steps"):
    """A step object, also given as a dictionary: what it carries says which kind."""
    if isinstance(value, Step):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"{name} must hold steps, and there is {type(value).__name__}")

    def given(*names):
        return next((value[key] for key in names if value.get(key)), None)

    if "steps" in value or given("seqCall", "sequence"):
        return SequenceCall(**value)
    for names, single, multi in (
        (("numericMeas",), NumericStep, MultiNumericStep),
        (("stringMeas",), StringStep, MultiStringStep),
        (("booleanMeas",), BooleanStep, MultiBooleanStep),
    ):
        measured = given(*names)
        if measured:
            return (multi if len(measured) > 1 else single)(**value)
    return GenericStep(**value)


def _steps(value, name):
    return [step_from(item, name) for item in value]


class SequenceCall(Step):
    """A sequence with its steps. Statuses are as they are given: nothing is computed."""

    STEP_TYPE = "SequenceCall"

    FIELDS = (
        Field("sequence", "seqCall", SequenceCallInfo, a(SequenceCallInfo)),
        Field("steps", default=list, check=_steps),
    )

    def __init__(self, **given):
        super().__init__(**given)
        for step in self.steps:
            step.parent = self

    def add_step(self, step):
        """Adds a step that exists."""
        step = step_from(step, "step")
        step.__dict__["parent"] = self
        self.steps.append(step)
        return step

    def add_numeric_step(self, *, name, value, unit="NA", comp_op=CompOp.LOG, low_limit=None, high_limit=None,
                         status="P", fail_parent_on_failure=True, **common):
        measured = NumericMeasurement(
            value=value, unit=unit, status=status, comp_op=comp_op, low_limit=low_limit, high_limit=high_limit
        )
        return self._new(NumericStep, name, status, common, measurements=[measured])

    def add_multi_numeric_step(self, *, name, status="P", **common):
        return self._new(MultiNumericStep, name, status, common)

    def add_boolean_step(self, *, name, status="P", fail_parent_on_failure=True, **common):
        return self._new(BooleanStep, name, status, common, measurements=[BooleanMeasurement(status=status)])

    add_pass_fail_step = add_boolean_step

    def add_multi_boolean_step(self, *, name, status="P", **common):
        return self._new(MultiBooleanStep, name, status, common)

    def add_string_step(self, *, name, value, unit=None, comp_op=CompOp.LOG, limit=None, status="P",
                        fail_parent_on_failure=True, **common):
        measured = StringMeasurement(value=value, status=status, comp_op=comp_op, limit=limit)
        return self._new(StringStep, name, status, common, measurements=[measured])

    def add_multi_string_step(self, *, name, status="P", **common):
        return self._new(MultiStringStep, name, status, common)

    def add_sequence_call(self, name, caller=None, file_name="TestSequence.seq", path="C:/SequenceCall.seq",
                          version="1.0.0", *, status="P", **common):
        called = SequenceCallInfo(path=path, file_name=file_name, version=version)
        return self._new(SequenceCall, name, status, common, sequence=called)

    def add_action_step(self, name, *, status="P", **common):
        return self._new(ActionStep, name, status, common)

    def add_generic_step(self, *, step_type, name, status="P", **common):
        return self._new(GenericStep, name, status, common, step_type=step_type)

    def add_chart_step(self, name, chart_type="Line", label="", x_label="", x_unit="", y_label="", y_unit="",
                       series=None, *, status="P", **common):
        step = self._new(ChartStep, name, status, common)
        step.add_chart(chart_type, label, x_label, x_unit, y_label, y_unit, series)
        return step

    def _new(self, kind, name, status, common, **own):
        step = kind(name=name, status=StepStatus.Passed if status is None else status, **own, **common)
        step.__dict__["parent"] = self
        self.steps.append(step)
        return step

    def _below(self):
        for step in self.steps:
            yield step
            if isinstance(step, SequenceCall):
                yield from step._below()

    def find_step(self, name, recursive=True):
        """The first step of that name, or None."""
        return next((step for step in (self._below() if recursive else self.steps) if step.name == name), None)

    def find_all_steps(self, name=None, recursive=True, step_type=None):
        """All steps of that name and type."""
        return [
            step
            for step in (self._below() if recursive else self.steps)
            if (name is None or step.name == name)
            and (step_type is None or step.step_type == step_type
                 or (isinstance(step_type, type) and isinstance(step, step_type)))
        ]

    def get_failed_steps(self, recursive=True):
        failed = (StepStatus.Failed, StepStatus.Error, StepStatus.Terminated)
        return [step for step in (self._below() if recursive else self.steps) if step.status in failed]

    def count_steps(self, recursive=True):
        return sum(1 for _ in (self._below() if recursive else self.steps))
