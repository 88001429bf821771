#!/bin/sh
python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300).close()'
