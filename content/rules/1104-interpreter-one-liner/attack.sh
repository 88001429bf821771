#!/bin/sh
python3 -c 'import socket; s = socket.socket(); s.settimeout(0.2); s.connect_ex(("127.0.0.1", 4444))'
