#!/bin/sh
python3 -c 'print("hello")' > /dev/null
