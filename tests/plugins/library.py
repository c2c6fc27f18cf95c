"""The modules of the standard library that converters use."""
import csv
import io
import json
import os
import re
import sqlite3
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal, getcontext
from pathlib import Path

from pywats_client.converters import ConverterResult, FileConverter


class Library(FileConverter):
    name = "library"

    def convert(self, source, context):
        getcontext().prec = 6
        Path("work.csv").write_text("a,b\n1,2\n")
        rows = list(csv.DictReader(io.StringIO(Path("work.csv").read_text())))
        data = json.loads('{"x": [1, 2]}')
        tree = ET.fromstring("<r><m v='3'/></r>")
        with tempfile.TemporaryDirectory() as folder:
            inside = os.path.realpath(folder).startswith(os.path.realpath(os.getcwd()))
            archive = Path(folder) / "a.zip"
            with zipfile.ZipFile(archive, "w") as packed:
                packed.writestr("t.txt", "5")
            with zipfile.ZipFile(archive) as packed:
                unpacked = int(packed.read("t.txt"))
        database = sqlite3.connect("work.db")
        database.execute("create table t (v real)")
        database.execute("insert into t values (6)")
        (stored,) = database.execute("select v from t").fetchone()
        database.close()
        local = datetime(2026, 7, 1, 12, 0).astimezone()
        values = {
            "csv": int(rows[0]["b"]),
            "json": data["x"][0],
            "xml": float(tree.find("m").get("v")),
            "zip": unpacked,
            "sqlite": stored,
            "decimal": Decimal(1) / Decimal(3),
            "regular expression": int(re.search(r"\d+", "a7").group()),
            "temporary files in the working directory": int(inside),
            "hours from UTC": local.utcoffset() / timedelta(hours=1),
        }
        steps = [{"stepType": "ET_NLT", "name": name, "value": value} for name, value in values.items()]
        return ConverterResult.success_result(report={
            "pn": "P", "sn": "S", "processCode": 10, "start": datetime(2026, 7, 1, 12), "root": {"steps": steps}})
