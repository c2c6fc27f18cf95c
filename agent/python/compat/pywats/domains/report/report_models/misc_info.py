"""Searchable keys with their values."""

from .model import Field, Model, text


class MiscInfo(Model):
    """One key with its value."""

    FIELDS = (
        Field("description", check=text),
        Field("string_value", "text", check=text),
        Field("type_def", "typedef", check=text),
    )

    def __init__(self, **given):
        if given.get("numeric") is not None and given.get("text") is None and given.get("string_value") is None:
            given["text"] = str(given["numeric"])
        super().__init__(**given)

    @property
    def text(self):
        return self.string_value

    @text.setter
    def text(self, value):
        self.string_value = value
