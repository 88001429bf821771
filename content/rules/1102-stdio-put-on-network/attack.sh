#!/bin/sh
# container: loopback
python3 - <<'END'
import os, socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
if os.fork() == 0:
    os.dup2(client.fileno(), 0)
    os._exit(0)
os.wait()
END
