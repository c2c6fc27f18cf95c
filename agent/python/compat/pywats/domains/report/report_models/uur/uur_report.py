"""A repair."""

from datetime import datetime, timezone

from ..attachment import BinaryData
from ..model import Field, Model, a, many, moment, number, text, whole
from ..report import Report, _identity
from ..sub_unit import SubUnit


def _now():
    return datetime.now(timezone.utc)


class UURFailure(Model):
    """What was found on a unit."""

    FIELDS = (
        Field("category", check=text),
        Field("code", check=text),
        Field("comment", check=text),
        Field("com_ref", "comRef", check=text),
        Field("func_block", "funcBlock", check=text),
        Field("ref_step_id", "refStepId", check=whole),
        Field("art_number", "artNumber", check=text),
        Field("art_rev", "artRev", check=text),
        Field("art_vendor", "artVendor", check=text),
        Field("art_description", "artDescription", check=text),
        Field("attachments", check=many(BinaryData)),
    )


class UURSubUnit(SubUnit):
    """A unit of a repair. Number 0 is the repaired one."""

    FIELDS = (
        Field("idx", check=whole),
        Field("parent_idx", "parentIdx", check=whole),
        Field("position", check=whole),
        Field("replaced_idx", "replacedIdx", check=whole),
        Field("failures", check=many(UURFailure)),
    )

    def add_failure(self, category, code, **more):
        failure = UURFailure(category=category, code=code, **more)
        self.failures = [*(self.failures or []), failure]
        return failure


class UURInfo(Model):
    """Who repaired, after which test, and when."""

    FIELDS = (
        Field("operator", "user", "", text),
        Field("comment", check=text),
        Field("process_code", "processCode", check=whole),
        Field("process_name", "processName", check=text),
        Field("ref_uut", "refUUT", check=_identity),
        Field("confirm_date", "confirmDate", _now, moment),
        Field("finalize_date", "finalizeDate", _now, moment),
        Field("exec_time", "execTime", 0.0, number),
        Field("parent", check=_identity),
    )

    def __init__(self, **given):
        for name in ("testOperationCode", "test_operation_code"):
            if given.get(name) is not None:
                given.setdefault("process_code", given[name])
        super().__init__(**given)

    def set_test_operation(self, code, name=None, **_also):
        self.process_code = code
        self.process_name = name


class UURReport(Report):
    """A repair of a unit."""

    TYPE = "R"

    FIELDS = (
        Field("process_code", "processCode", 500, whole),
        Field("purpose", default="Repair", check=text),
        Field("info", "uur", UURInfo, a(UURInfo)),
        Field("sub_units", "subUnits", list, many(UURSubUnit)),
    )

    def __init__(self, **given):
        super().__init__(**given)
        if not any(unit.idx == 0 for unit in self.sub_units):
            main = UURSubUnit(pn=self.pn, sn=self.sn, rev=self.rev, part_type="Main", idx=0)
            self.sub_units.insert(0, main)

    @property
    def uur_info(self):
        return self.info

    def get_main_unit(self):
        return next(unit for unit in self.sub_units if unit.idx == 0)

    def add_failure(self, category, code, **more):
        """On the repaired unit itself."""
        return self.get_main_unit().add_failure(category, code, **more)

    def add_sub_unit(self, part_type, sn, pn, rev="", parent_idx=0, **more):
        idx = 1 + max(unit.idx or 0 for unit in self.sub_units)
        unit = UURSubUnit(part_type=part_type, sn=sn, pn=pn, rev=rev, idx=idx, parent_idx=parent_idx, **more)
        self.sub_units.append(unit)
        return unit
