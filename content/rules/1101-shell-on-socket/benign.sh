#!/bin/sh
python3 -c 'import socket, subprocess; a, b = socket.socketpair(); subprocess.run(["id"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)'
