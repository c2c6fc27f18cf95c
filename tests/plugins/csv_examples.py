"""The two examples that came with the client, made our own."""
from pywats_client.converters.base import CSVConverter
from pywats_client.converters.example_csv import CSVTestConverter


class OurTests(CSVTestConverter):
    @property
    def name(self):
        return "Our CSV tests"


class OurFirstRow(CSVConverter):
    @property
    def name(self):
        return "Our first row"
