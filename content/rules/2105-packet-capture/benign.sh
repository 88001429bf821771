#!/bin/sh
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()'
