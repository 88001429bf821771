#!/bin/sh
sleep 5 &
python3 -c 'import ctypes, sys; ctypes.CDLL(None).ptrace(16, int(sys.argv[1]), 0, 0)' "$!"
kill %1 2>/dev/null || true
