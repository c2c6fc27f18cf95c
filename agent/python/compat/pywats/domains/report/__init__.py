"""Reports."""

from .report_models import ReportStatus, StepStatus, UURReport, UUTReport

__all__ = ["ReportStatus", "StepStatus", "UURReport", "UUTReport"]
