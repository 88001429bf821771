#!/bin/sh
mknod /tmp/null c 1 3
mkfifo /tmp/queue
