"""Files that hang on a step or a report, free data, and equipment."""

import base64
import mimetypes
from pathlib import Path

from .model import Field, Model, number, text, unit_text, whole


def encoded(value, name):
    """Base64 of bytes; a text is base64 already."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    return text(value, name)


class BinaryData(Model):
    """A file."""

    FIELDS = (
        Field("name", check=text),
        Field("content_type", "contentType", "application/octet-stream", text),
        Field("data", default="", check=encoded),
        Field("id", check=text),
    )

    @classmethod
    def from_file(cls, path, name=None, content_type=None):
        path = Path(path)
        kind = content_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return cls(name=name or path.name, content_type=kind, data=path.read_bytes())

    @classmethod
    def from_bytes(cls, data, name, content_type="application/octet-stream"):
        return cls(name=name, content_type=content_type, data=bytes(data))


class ReportAttachment(BinaryData):
    """A file on a step."""

    def __init__(self, **given):
        given.setdefault("name", given.get("file_name") or given.get("filename") or "attachment")
        super().__init__(**given)


Attachment = ReportAttachment


class ReportAsset(Model):
    """A piece of equipment that was used."""

    FIELDS = (
        Field("sn", "assetSN", check=unit_text),
        Field("usage_count", "usageCount", 1, whole),
    )


Asset = ReportAsset


class AssetStats(Model):
    """How worn a piece of equipment is; only a server writes it."""

    FIELDS = (
        Field("sn", "assetSN", check=text),
        Field("running_count", "runningCount", check=whole),
        Field("running_count_exceeded", "runningCountExceeded", check=whole),
        Field("total_count", "totalCount", check=whole),
        Field("total_count_exceeded", "totalCountExceeded", check=whole),
        Field("days_since_calibration", "daysSinceCalibration", check=number),
        Field("calibration_days_overdue", "calibrationDaysOverdue", check=number),
        Field("days_since_maintenance", "daysSinceMaintenance", check=number),
        Field("maintenance_days_overdue", "maintenanceDaysOverdue", check=number),
        Field("message", check=text),
    )


class AdditionalData(Model):
    """A free tree of properties."""

    FIELDS = (Field("name", check=text), Field("props", default=list))

    def add_property(self, name, value, type=None, **more):  # noqa: A002, as the format names it
        if type is None:
            type = "Bool" if isinstance(value, bool) else "Number" if isinstance(value, (int, float)) else "String"
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        self.props.append({"name": name, "type": type, "value": shown, **more})
        return self
