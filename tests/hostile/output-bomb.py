"""Answers without end."""
import os

line = b"x" * 65535 + b"\n"
while True:
    os.write(1, line)
