"""The report model that converter files import, in plain Python.

This package stands in for the one of the same name where that is not installed: it builds reports. It does not talk
to a server; the appliance delivers what a converter returns.
"""

from .models import (
    Chart,
    ChartSeries,
    ChartType,
    CompOp,
    MiscInfo,
    ReportStatus,
    Step,
    StepStatus,
    SubUnit,
    UURReport,
    UUTReport,
)

__version__ = "0.6.0"


class pyWATS:  # the name is part of the contract
    """The connection to a server, which a converter does not have."""

    def __init__(self, *_given, **_also):
        raise RuntimeError(
            "a converter has no connection to the server: return the report, and the appliance delivers it"
        )


AsyncWATS = pyWATS
