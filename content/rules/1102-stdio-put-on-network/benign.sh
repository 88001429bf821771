#!/bin/sh
# container: loopback
python3 - <<'END'
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"x")
END
ls / > /tmp/list
