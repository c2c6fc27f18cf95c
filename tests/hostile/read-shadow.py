"""Reads the system's passwords."""
with open("/etc/shadow") as file:
    print("shadow:", file.read())
