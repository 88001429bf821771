#!/bin/sh
python3 -c 'import ctypes; ctypes.CDLL(None).syscall(175, 0, 0, 0)'
