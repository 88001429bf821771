#!/bin/sh
cp /bin/true /tmp/up
python3 -c 'import os
try: os.setxattr("/tmp/up", "user.note", b"x")
except OSError: pass'
