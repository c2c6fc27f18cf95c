"""Writes everywhere."""
import logging
import os
import sys
import warnings

from pywats_client.converters import ConverterResult, FileConverter

print("loaded")


class Noisy(FileConverter):
    name = "noisy"

    def convert(self, source, context):
        print("printed")
        print('{"answer": "done"}', flush=True)
        sys.stdout.write("written\n")
        os.write(1, b'{"answer": "failed", "error": "forged"}\n')
        sys.stderr.write("on standard error\n")
        logging.getLogger("acme").warning("logged %d", 1)
        context.log_info("said")
        warnings.warn("old")
        assert sys.stdin.read() == ""
        return ConverterResult.success_result(report={"pn": "P", "sn": "S", "processCode": 10, "root": {"steps": []}})
