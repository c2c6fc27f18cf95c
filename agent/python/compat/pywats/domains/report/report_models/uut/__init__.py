"""Tests."""

from ..common_types import StepStatus
from .step import Step
from .uut_info import UUTInfo
from .uut_report import UUTReport

__all__ = ["Step", "StepStatus", "UUTInfo", "UUTReport"]
