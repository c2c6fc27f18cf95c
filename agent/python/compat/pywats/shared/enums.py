"""Enumerations that several domains share."""

from ..domains.report.report_models.common_types import CompOp, ReportStatus, StepStatus

__all__ = ["CompOp", "ReportStatus", "StepStatus"]
