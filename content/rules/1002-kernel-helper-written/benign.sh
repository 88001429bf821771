#!/bin/sh
cat /proc/sys/kernel/core_pattern > /dev/null
echo x > /tmp/core_pattern
