import xml.etree.ElementTree as ET

from pywats.models import UUTReport
from pywats_client.converters import ConverterResult, FolderConverter


class PanelFolder(FolderConverter):
    """One report of all files of a folder."""

    @property
    def name(self):
        return "Panel"

    @property
    def folder_patterns(self):
        return ["panel*"]

    @property
    def min_file_count(self):
        return 2

    @property
    def expected_files(self):
        return ["*.xml"]

    def convert(self, source, context):
        marker = self.read_marker_data(source.path)
        report = UUTReport(pn="PANEL", sn=source.path.name, rev=marker.strip(), process_code=10, station_name="ST",
                           location="L", purpose="P")
        root = report.get_root_sequence_call()
        for file in self.list_files(source.path, "*.xml"):
            for step in ET.parse(file).getroot():
                root.add_numeric_step(name=step.get("name"), value=float(step.text))
        assert len(source.get_files_matching("*.XML")) == 2
        self.delete_marker(source.path)
        return ConverterResult.success_result(report=report)
