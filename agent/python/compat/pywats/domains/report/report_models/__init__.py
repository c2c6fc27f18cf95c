"""The report model."""

from .attachment import AdditionalData, Asset, AssetStats, Attachment, BinaryData, ReportAsset, ReportAttachment
from .chart import Chart, ChartSeries, ChartType
from .common_types import CompOp, ReportResult, ReportStatus, StepStatus
from .misc_info import MiscInfo
from .report import Report
from .sub_unit import SubUnit
from .uur import UURFailure, UURInfo, UURReport, UURSubUnit
from .uut import UUTInfo, UUTReport
from .uut.step import LoopInfo, Step
from .uut.steps import (
    ActionStep,
    BooleanMeasurement,
    BooleanStep,
    CallExe,
    CallExeStep,
    ChartStep,
    FlowType,
    GenericStep,
    MessagePopup,
    MessagePopUpStep,
    MultiBooleanStep,
    MultiNumericStep,
    MultiStringStep,
    NumericMeasurement,
    NumericStep,
    PassFailStep,
    SequenceCall,
    SequenceCallInfo,
    StringMeasurement,
    StringStep,
)

__all__ = [name for name in dir() if name[0].isupper()]
