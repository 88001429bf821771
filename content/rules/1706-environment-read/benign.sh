#!/bin/sh
cat /proc/self/status > /dev/null
