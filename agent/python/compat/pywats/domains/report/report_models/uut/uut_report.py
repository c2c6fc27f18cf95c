"""A test."""

from ..model import Field, a
from ..report import Report
from .steps.sequence_call import SequenceCall
from .uut_info import UUTInfo


class UUTReport(Report):
    """A test of a unit: the header, and the tree of what was done and measured."""

    FIELDS = (
        Field("info", "uut", UUTInfo, a(UUTInfo)),
        Field("root", default=SequenceCall, check=a(SequenceCall)),
    )

    def get_root_sequence_call(self):
        """The sequence that all steps are in."""
        self.root.name = "MainSequence Callback"
        return self.root
