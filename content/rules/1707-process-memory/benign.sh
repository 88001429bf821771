#!/bin/sh
python3 -c 'open("/proc/meminfo", "rb").close()'
