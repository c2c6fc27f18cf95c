"""Talks to a socket that has a name and no file."""
import os
import socket

there = socket.socket(socket.AF_UNIX)
there.connect("\0" + os.environ["ABSTRACT"])
there.sendall(b"stolen")
