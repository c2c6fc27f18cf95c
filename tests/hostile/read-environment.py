"""Reads the environment of every process."""
import glob

for name in glob.glob("/proc/[0-9]*/environ"):
    try:
        with open(name, "rb") as file:
            print(file.read())
    except OSError:
        pass
