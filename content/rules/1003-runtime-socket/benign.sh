#!/bin/sh
python3 - <<'END'
import socket
server = socket.socket(socket.AF_UNIX); server.bind("/tmp/app.sock"); server.listen(1)
client = socket.socket(socket.AF_UNIX); client.connect("/tmp/app.sock")
END
