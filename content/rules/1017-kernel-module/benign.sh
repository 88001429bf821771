#!/bin/sh
cat /proc/modules > /dev/null
