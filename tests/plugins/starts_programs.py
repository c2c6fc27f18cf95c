"""Starts another program, in the way that its file says."""
import os
import subprocess

from pywats_client.converters import ConverterResult, FileConverter

WAYS = {
    "run": lambda: subprocess.run(["/bin/echo", "x"], check=True),
    "output": lambda: subprocess.check_output("echo x", shell=True),
    "system": lambda: os.system("echo x"),
    "popen": lambda: os.popen("echo x").read(),
    "spawn": lambda: os.posix_spawn("/bin/echo", ["echo", "x"], {}),
    "fork": lambda: os.fork() or os._exit(0),
}


class Starter(FileConverter):
    name = "starter"

    def convert(self, source, context):
        word = source.read_text().strip()
        if word.startswith("caught "):
            try:
                WAYS[word[7:]]()
            except OSError as error:
                return ConverterResult.failed_result(f"caught: {error}")
        WAYS[word]()
        return ConverterResult.failed_result("it was started")
