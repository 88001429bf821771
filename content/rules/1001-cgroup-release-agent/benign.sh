#!/bin/sh
mkdir -p /tmp/job
echo 1 > /tmp/job/notify
cat /proc/self/cgroup > /dev/null
