"""Repairs."""

from .uur_report import UURFailure, UURInfo, UURReport, UURSubUnit

__all__ = ["UURFailure", "UURInfo", "UURReport", "UURSubUnit"]
