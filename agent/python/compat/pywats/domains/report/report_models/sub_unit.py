"""Units inside the unit."""

from .model import Field, Model, text, unit_text


class SubUnit(Model):
    """A unit that sits in the tested one."""

    FIELDS = (
        Field("pn", check=unit_text),
        Field("rev", check=text),
        Field("sn", check=unit_text),
        Field("part_type", "partType", "Unknown", text),
    )
