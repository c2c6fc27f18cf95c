"""Sends a datagram, as a query to a name server would be."""
import os
import socket

socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"stolen", ("127.0.0.1", int(os.environ["UDP"])))
