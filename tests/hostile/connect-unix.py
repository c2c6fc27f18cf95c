"""Talks to a socket in the file system, as the agent's control API is one."""
import os
import socket

there = socket.socket(socket.AF_UNIX)
there.connect(os.environ["SOCKET"])
there.sendall(b"stolen")
