"""The steps that measure: one value, or several with names."""

from ...common_types import CompOp, StepStatus
from ...model import Field, Model, many, number, one_of, text
from ..step import Step, status_of

_operator = one_of(CompOp)


def _shown(value, name):
    return value if isinstance(value, str) else str(value)


class NumericMeasurement(Model):
    """A number with its limits."""

    FIELDS = (
        Field("name", check=text),
        Field("status", default=StepStatus.Passed, check=status_of),
        Field("value", default=0.0, check=number),
        Field("value_format", "valueFormat", check=text),
        Field("unit", default="NA", check=text),
        Field("comp_op", "compOp", CompOp.LOG, _operator),
        Field("high_limit", "highLimit", check=number),
        Field("high_limit_format", "highLimitFormat", check=text),
        Field("low_limit", "lowLimit", check=number),
        Field("low_limit_format", "lowLimitFormat", check=text),
    )


class StringMeasurement(Model):
    """A text with the text that was expected."""

    FIELDS = (
        Field("name", check=text),
        Field("status", default=StepStatus.Passed, check=status_of),
        Field("value", check=_shown),
        Field("comp_op", "compOp", CompOp.LOG, _operator),
        Field("limit", check=_shown),
    )


class BooleanMeasurement(Model):
    """A measurement that only passes or fails."""

    FIELDS = (Field("name", check=text), Field("status", default=StepStatus.Passed, check=status_of))


class _Single(Step):
    """One measurement, whose fields can be reached through the step."""

    @property
    def measurement(self):
        return self.measurements[0] if self.measurements else None

    @measurement.setter
    def measurement(self, value):
        self.measurements = [value]

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        # Their statuses are one: a server refuses anything else.
        if name == "status" and self.measurements:
            self.measurements[0].status = self.status


def _through(name):
    return property(
        lambda self: getattr(self.measurement, name), lambda self, value: setattr(self.measurement, name, value)
    )


class NumericStep(_Single):
    """One number."""

    STEP_TYPE = "ET_NLT"
    FIELDS = (Field("measurements", "numericMeas", list, many(NumericMeasurement)),)
    value, unit, comp_op = _through("value"), _through("unit"), _through("comp_op")
    low_limit, high_limit = _through("low_limit"), _through("high_limit")


class StringStep(_Single):
    """One text."""

    STEP_TYPE = "ET_SVT"
    FIELDS = (Field("measurements", "stringMeas", list, many(StringMeasurement)),)
    value, comp_op, limit = _through("value"), _through("comp_op"), _through("limit")


class BooleanStep(_Single):
    """Passed or failed, and nothing else."""

    STEP_TYPE = "ET_PFT"
    FIELDS = (Field("measurements", "booleanMeas", list, many(BooleanMeasurement)),)


PassFailStep = BooleanStep


class _Multi(Step):
    def _add(self, measurement):
        name = measurement.name or f"Measurement {len(self.measurements) + 1}"
        taken = {other.name for other in self.measurements}
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name} #{count}"
        measurement.name = unique
        self.measurements.append(measurement)
        return measurement


class MultiNumericStep(_Multi):
    """Several numbers."""

    STEP_TYPE = "ET_MNLT"
    FIELDS = (Field("measurements", "numericMeas", list, many(NumericMeasurement)),)

    def add_measurement(self, *, name=None, value=0.0, unit="", status="P", comp_op=CompOp.LOG, high_limit=None,
                        low_limit=None, **_also):
        return self._add(NumericMeasurement(
            name=name, value=value, unit=unit, status=status, comp_op=comp_op, high_limit=high_limit,
            low_limit=low_limit,
        ))


class MultiStringStep(_Multi):
    """Several texts."""

    STEP_TYPE = "ET_MSVT"
    FIELDS = (Field("measurements", "stringMeas", list, many(StringMeasurement)),)

    def add_measurement(self, *, name=None, value="", status="P", comp_op=CompOp.LOG, limit=None, **_also):
        return self._add(StringMeasurement(name=name, value=value, status=status, comp_op=comp_op, limit=limit))


class MultiBooleanStep(_Multi):
    """Several that only pass or fail."""

    STEP_TYPE = "ET_MPFT"
    FIELDS = (Field("measurements", "booleanMeas", list, many(BooleanMeasurement)),)

    def add_measurement(self, *, name=None, status="P", **_also):
        return self._add(BooleanMeasurement(name=name, status=status))
