#!/bin/sh
# container: loopback
mkfifo /tmp/pipe
(sleep 3 | nc.openbsd -w 1 127.0.0.1 9) < /tmp/pipe > /dev/null 2>&1 &
echo exit > /tmp/pipe
nc.openbsd -w 1 127.0.0.1 9 < /dev/null || true
