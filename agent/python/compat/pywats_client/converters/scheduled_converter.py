"""The base class of converters that run by the clock."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from . import _cron
from ._common import About
from .models import ConverterType, PostProcessAction


class ScheduledConverter(About, ABC):
    """Derive from this, give a `name` and an interval or cron expression, and write `run`."""

    def __init__(self, *_given, **_also):
        super().__init__()
        self._last_run = None
        self._running = 0

    @property
    @abstractmethod
    def name(self):
        """The converter's name, as people see it."""

    @abstractmethod
    async def run(self, context):
        """Does the work and returns a list of ConverterResult."""

    @property
    def converter_type(self):
        return ConverterType.SCHEDULED

    @property
    def schedule_interval(self):
        return None

    @property
    def cron_expression(self):
        return None

    @property
    def run_on_startup(self):
        return False

    @property
    def max_concurrent_runs(self):
        return 1

    @property
    def timeout(self):
        return None

    @property
    def retry_on_failure(self):
        return False

    @property
    def retry_delay(self):
        return timedelta(seconds=30)

    @property
    def arguments_schema(self):
        return {}

    @property
    def default_post_action(self):
        return PostProcessAction.KEEP

    @property
    def last_run(self):
        return getattr(self, "_last_run", None)

    @property
    def next_run(self):
        return self.calculate_next_run()

    @property
    def is_running(self):
        return getattr(self, "_running", 0) > 0

    def get_schedule_description(self):
        if self.schedule_interval is not None:
            return f"every {self.schedule_interval}"
        return f"cron {self.cron_expression}" if self.cron_expression else "no schedule"

    def calculate_next_run(self, from_time=None):
        since = from_time or self.last_run or datetime.now()
        if self.schedule_interval is not None:
            return since + self.schedule_interval
        return _cron.next_time(self.cron_expression, since) if self.cron_expression else None

    def should_run_now(self):
        if self.is_running:
            return False
        if self.last_run is None and self.run_on_startup:
            return True
        due = self.calculate_next_run()
        return due is not None and datetime.now() >= due

    def on_load(self, context):
        """The converter was loaded."""

    def on_unload(self):
        """The converter will not be called again."""

    def on_run_start(self, context):
        """A run begins."""

    def on_run_complete(self, results, context):
        """A run ended."""

    def on_run_error(self, error, context):
        """A run broke off."""
