#!/bin/sh
python3 -c 'import ctypes; ctypes.CDLL(None).syscall(39)'
