"""Leaves things behind, as the first word of the file says."""
import decimal
import os
import signal
import sys
import threading
import time

from pywats_client.converters import ConverterResult, FileConverter

seen = []
total = 0
kept = None


class Leaky(FileConverter):
    name = "leaky"
    results = []

    def convert(self, source, context):
        global total, kept
        word = source.read_text().strip()
        state = {
            "environment": os.environ.get("LEAK", ""),
            "folder": os.getcwd(),
            "umask": oct(os.umask(0o022)),
            "argv": " ".join(sys.argv[1:]),
            "path": str("/leak" in sys.path),
            "signal": str(signal.getsignal(signal.SIGTERM)),
            "precision": str(decimal.getcontext().prec),
            "globals": f"{seen} {total}",
            "class": str(self.results),
            "own": getattr(self, "mark", ""),
            "stdout": str(sys.stdout is sys.__stdout__),
        }
        if word == "leave":
            os.environ["LEAK"] = "x"
            os.chdir("/")
            os.umask(0)
            sys.argv.append("leak")
            sys.path.append("/leak")
            signal.signal(signal.SIGTERM, lambda *_: None)
            decimal.getcontext().prec = 3
            seen.append(1)
            total += 1
            self.results.append(1)
            self.mark = "x"
            sys.stdout = sys.stderr
        if word == "thread":
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        if word == "file":
            os.open(source.path, os.O_RDONLY)
        if word == "leave":
            kept = open(source.path)
        steps = [{"stepType": "ET_SVT", "name": name, "value": value} for name, value in state.items()]
        return ConverterResult.success_result(
            report={"pn": "P", "sn": "S", "processCode": 10, "start": "2026-01-01T00:00:00Z", "root": {"steps": steps}})
