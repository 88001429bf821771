#!/bin/sh
python3 -c 'import ctypes; ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(120))'
