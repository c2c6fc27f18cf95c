"""The converters that the client brings. Here they are part of the appliance itself, and not written in Python.

A file that imports one of these classes can be loaded. Whoever calls one gets an error that says which of the
appliance's converters to choose instead.
"""

from ...exceptions import ConverterError
from ..file_converter import FileConverter
from ..models import ValidationResult

__all__ = [
    "AIConverter",
    "ATMLConverter",
    "KeysightTestExecSLConverter",
    "KlippelConverter",
    "SPEAConverter",
    "SeicaXMLConverter",
    "TeradyneICTConverter",
    "TeradyneSpectrumICTConverter",
    "WATSStandardJsonConverter",
    "WATSStandardTextConverter",
    "WATSStandardXMLConverter",
    "XJTAGConverter",
]


class _Native(FileConverter):
    #: The name of the appliance's converter for the same files.
    native = ""
    title = ""
    patterns = ("*",)

    @property
    def name(self):
        return self.title

    @property
    def file_patterns(self):
        return list(self.patterns)

    def _instead(self):
        return (
            f"{self.title} is built into the appliance as the converter \"{self.native}\": choose that one for the"
            f" source. Python files cannot call it"
        )

    def validate(self, source, context):
        return ValidationResult.no_match(self._instead())

    def convert(self, source, context):
        raise ConverterError(self._instead())

    def convert_file(self, file_path, args):
        raise ConverterError(self._instead())


class WATSStandardTextConverter(_Native):
    native, title, patterns = "wats-text", "WATS Standard Text Converter", ("*.txt",)


class WATSStandardJsonConverter(_Native):
    native, title, patterns = "wats-json", "WATS Standard JSON Converter", ("*.json",)


class WATSStandardXMLConverter(_Native):
    native, title, patterns = "wats-xml", "WATS Standard XML Converter", ("*.xml",)


class ATMLConverter(_Native):
    native, title, patterns = "atml", "ATML Converter", ("*.xml",)


class SeicaXMLConverter(_Native):
    native, title, patterns = "seica-xml", "Seica XML Converter", ("*.xml",)


class TeradyneICTConverter(_Native):
    native, title, patterns = "teradyne-ict", "Teradyne ICT Converter", ("*.txt", "*.log")


class TeradyneSpectrumICTConverter(_Native):
    native, title, patterns = "teradyne-spectrum", "Teradyne Spectrum ICT Converter", ("*.txt",)


class KeysightTestExecSLConverter(_Native):
    native, title, patterns = "keysight-testexec-sl", "Keysight TestExec SL Converter", ("*.xml",)


class KlippelConverter(_Native):
    native, title, patterns = "klippel", "Klippel Converter", ("*.txt", "*.log")


class SPEAConverter(_Native):
    native, title, patterns = "spea", "SPEA Converter", ("*.txt", "*.csv", "*.log")


class XJTAGConverter(_Native):
    native, title, patterns = "xjtag", "XJTAG Converter", ("*.zip",)


class AIConverter(_Native):
    native, title, patterns = "auto", "AI Converter", ("*.*",)
