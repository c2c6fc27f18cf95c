"""What tests and repairs have in common."""

import uuid
from datetime import datetime

from .attachment import AdditionalData, BinaryData, ReportAsset
from .common_types import ReportStatus
from .misc_info import MiscInfo
from .model import Field, Model, many, moment, one_of, text, unit_text, whole
from .sub_unit import SubUnit

_REQUIRED = ("pn", "sn", "process_code")


def _identity(value, name):
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        raise ValueError(f"{name} must be a UUID, and is {value!r}") from None


class Report(Model):
    """One run of one process on one unit."""

    TYPE = "T"

    FIELDS = (
        Field("id", default=uuid.uuid4, check=_identity),
        Field("type", check=text),
        Field("pn", check=unit_text),
        Field("sn", check=unit_text),
        Field("rev", default="", check=text),
        Field("process_code", "processCode", check=whole),
        Field("process_name", "processName", check=text),
        Field("result", default=ReportStatus.Passed, check=one_of(ReportStatus)),
        Field("station_name", "machineName", check=text),
        Field("location", check=text),
        Field("purpose", check=text),
        Field("start", default=lambda: datetime.now().astimezone(), check=moment),
        Field("sub_units", "subUnits", list, many(SubUnit)),
        Field("misc_infos", "miscInfos", list, many(MiscInfo)),
        Field("assets", check=many(ReportAsset)),
        Field("binary_data", "binaryData", check=many(BinaryData)),
        Field("additional_data", "additionalData", check=many(AdditionalData)),
    )

    def __init__(self, **given):
        super().__init__(**given)
        self.__dict__["type"] = self.TYPE
        missing = [name for name in _REQUIRED if self.__dict__[name] is None]
        if missing:
            raise ValueError(f"{type(self).__name__} needs {', '.join(missing)}")

    def add_misc_info(self, description, value, **_also):
        info = MiscInfo(description=description, text=value)
        self.misc_infos.append(info)
        return info

    def add_asset(self, sn, usage_count=1, **_also):
        asset = ReportAsset(sn=sn, usage_count=usage_count)
        self.assets = [*(self.assets or []), asset]
        return asset

    def add_sub_unit(self, part_type, sn, pn, rev="", **_also):
        unit = SubUnit(part_type=part_type, sn=sn, pn=pn, rev=rev)
        self.sub_units.append(unit)
        return unit

    def add_binary_data(self, data, name, content_type="application/octet-stream", **_also):
        binary = BinaryData(data=data, name=name, content_type=content_type)
        self.binary_data = [*(self.binary_data or []), binary]
        return binary

    def add_additional_data(self, name, props=None, **_also):
        data = AdditionalData(name=name, props=props or [])
        self.additional_data = [*(self.additional_data or []), data]
        return data
