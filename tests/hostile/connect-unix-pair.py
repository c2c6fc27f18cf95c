"""Sends to a socket in the file system from one half of a pair, which needs no socket of its own."""
import os
import socket

one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.sendto(b"stolen", os.environ["DATAGRAMS"])
