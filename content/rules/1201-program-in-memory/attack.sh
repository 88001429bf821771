#!/bin/sh
python3 - <<'END'
import os
number = os.memfd_create("x", 0)
os.write(number, open("/bin/true", "rb").read())
if os.fork() == 0:
    os.execve(number, ["x"], {})
os.wait()
END
