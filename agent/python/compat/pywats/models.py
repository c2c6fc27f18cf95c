"""Every class of the report model in one place."""

from .domains.report.report_models import *  # noqa: F403
from .domains.report.report_models import __all__  # noqa: F401
