"""Talks to a server on the network."""
import os
import socket

socket.create_connection(("127.0.0.1", int(os.environ["TCP"])), 2).sendall(b"stolen")
