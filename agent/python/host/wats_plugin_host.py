"""Runs a Python converter file as a plug-in: `python3 -I -B wats_plugin_host.py [OPTION…] PLUGIN`.

PLUGIN is a file, or a folder with a main.py. It may be written for pyWATS in any of its styles. Requests come as
lines of JSON on standard input and are answered on standard output; see docs/plugin-protocol.md.

    --environment auto|pywats|compat    whose `pywats` is imported: the published package, ours, or (auto, which is
                                        what counts without the option) the published one where it is installed
    --packages FOLDER                   a folder of packages that can be imported, beside those of the interpreter
    --lifted PART                       a part of the sandbox that is lifted: what it would refuse is not refused
                                        in words either
"""

import os
import sys

# The channel is taken before anything else can write to it: from here on standard output is standard error,
# for print and for libraries in C alike.
_REQUESTS = os.dup(0)
_ANSWERS = os.dup(1)


def _take_the_channel():
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def main():
    _take_the_channel()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from wats_host import options, serve

    chosen = options.read(sys.argv[1:])
    del sys.path[0]
    return serve.serve(chosen, _REQUESTS, _ANSWERS)


if __name__ == "__main__":
    sys.exit(main())
