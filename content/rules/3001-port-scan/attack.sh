#!/bin/sh
# container: loopback
python3 - <<'END'
import socket
for port in range(9000, 9040):
    client = socket.socket(); client.settimeout(0.05); client.connect_ex(("127.0.0.1", port)); client.close()
END
