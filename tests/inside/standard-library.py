"""What scripts of test engineers import, used for what they use it for."""
import asyncio
import csv
import datetime
import decimal
import io
import json
import os
import pathlib
import re
import sqlite3
import tempfile
import threading
import time
import uuid
import xml.etree.ElementTree
import zipfile
import zoneinfo

assert list(csv.reader(io.StringIO("a;b"), delimiter=";")) == [["a", "b"]]
assert json.loads(json.dumps({"a": 1.5})) == {"a": 1.5}
assert xml.etree.ElementTree.fromstring("<a><b>1</b></a>").find("b").text == "1"
assert re.fullmatch(r"(\d+)\.(\d+)", "1.25").groups() == ("1", "25")
assert decimal.Decimal("0.1") + decimal.Decimal("0.2") == decimal.Decimal("0.3")
assert datetime.datetime.fromisoformat("2026-01-31T12:00:00+01:00").utcoffset().seconds == 3600
assert len(uuid.uuid4().hex) == 32 and len(os.urandom(8)) == 8
try:
    zone = zoneinfo.ZoneInfo("Europe/Oslo")
    assert datetime.datetime(2026, 7, 1, tzinfo=zone).utcoffset().seconds == 7200
except zoneinfo.ZoneInfoNotFoundError:
    pass  # a machine without tzdata

path = pathlib.Path("folder/file.txt")
path.parent.mkdir()
path.write_text("æøå", encoding="utf-8")
path.rename("moved.txt")
assert pathlib.Path("moved.txt").read_text(encoding="utf-8") == "æøå"
assert pathlib.Path.home() == pathlib.Path.cwd()

with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
    file.write(b"x")
    with zipfile.ZipFile(os.path.join(folder, "a.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "text")
    with zipfile.ZipFile(os.path.join(folder, "a.zip")) as archive:
        archive.extractall(folder)
        assert open(os.path.join(folder, "a.txt")).read() == "text"

for database in (":memory:", "kept.db"):
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t (a REAL)")
        connection.execute("INSERT INTO t VALUES (1.5)")
        connection.commit()
        assert connection.execute("SELECT sum(a) FROM t").fetchone() == (1.5,)

seen = []
threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(8)]
[it.start() for it in threads], [it.join() for it in threads]
assert sorted(seen) == list(range(8))


async def rest():
    await asyncio.sleep(0.001)
    return await asyncio.to_thread(time.monotonic)


assert asyncio.run(rest()) > 0
print("all work")
