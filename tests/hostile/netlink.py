"""Asks the kernel for the machine's network interfaces."""
import socket
import struct

kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
kernel.settimeout(2)
kernel.bind((0, 0))
kernel.send(struct.pack("=LHHLL", 32, 18, 0x301, 1, 0) + bytes(16))
while True:
    answer = kernel.recv(65536)
    print("links:", answer)
    if struct.unpack_from("=LH", answer)[1] in (2, 3):
        break
