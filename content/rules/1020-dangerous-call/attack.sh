#!/bin/sh
python3 -c 'import ctypes; ctypes.CDLL(None).syscall(169, 0, 0, 0, 0)'
