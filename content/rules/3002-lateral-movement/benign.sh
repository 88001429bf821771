#!/bin/sh
# container: loopback
python3 - <<'END'
import socket
for turn in range(8):
    client = socket.socket(); client.settimeout(0.05); client.connect_ex(("127.0.0.1", 6379)); client.close()
END
