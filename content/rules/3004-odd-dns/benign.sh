#!/bin/sh
# container: loopback
python3 - <<'END'
import socket, struct
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(20):
    question = b"\x03www\x07example\x03com\x00" + struct.pack(">HH", 1, 1)
    client.sendto(struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question, ("127.0.0.1", 53))
END
