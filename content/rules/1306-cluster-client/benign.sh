#!/bin/sh
python3 --version > /dev/null
