"""No converter in here."""
from pywats_client.converters import FileConverter


class Unfinished(FileConverter):
    name = "unfinished"
