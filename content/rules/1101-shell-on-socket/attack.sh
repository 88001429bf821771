#!/bin/sh
python3 - <<'END'
import os, socket
a, b = socket.socketpair()
if os.fork() == 0:
    for number in (0, 1, 2):
        os.dup2(b.fileno(), number)
    os.execv("/bin/sh", ["sh", "-c", "id"])
os.wait()
END
