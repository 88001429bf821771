#!/bin/sh
python3 -c 'open("/proc/self/mem", "rb").close()'
