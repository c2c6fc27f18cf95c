"""All kinds of steps."""

from ...common_types import CompOp
from ..step import Step
from .generic_step import (
    ActionStep,
    CallExe,
    CallExeStep,
    ChartStep,
    FlowType,
    GenericStep,
    MessagePopup,
    MessagePopUpStep,
)
from .measurements import (
    BooleanMeasurement,
    BooleanStep,
    MultiBooleanStep,
    MultiNumericStep,
    MultiStringStep,
    NumericMeasurement,
    NumericStep,
    PassFailStep,
    StringMeasurement,
    StringStep,
)
from .sequence_call import SequenceCall, SequenceCallInfo

__all__ = [
    "ActionStep",
    "BooleanMeasurement",
    "BooleanStep",
    "CallExe",
    "CallExeStep",
    "ChartStep",
    "CompOp",
    "FlowType",
    "GenericStep",
    "MessagePopUpStep",
    "MessagePopup",
    "MultiBooleanStep",
    "MultiNumericStep",
    "MultiStringStep",
    "NumericMeasurement",
    "NumericStep",
    "PassFailStep",
    "SequenceCall",
    "SequenceCallInfo",
    "Step",
    "StringMeasurement",
    "StringStep",
]
