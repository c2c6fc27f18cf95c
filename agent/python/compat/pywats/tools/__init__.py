"""Helpers for building reports."""

from .report_builder import ReportBuilder, quick_report

__all__ = ["ReportBuilder", "quick_report"]
