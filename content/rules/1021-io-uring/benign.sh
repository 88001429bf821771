#!/bin/sh
python3 -c 'open("/etc/hostname").read()'
