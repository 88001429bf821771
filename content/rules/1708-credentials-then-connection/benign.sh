#!/bin/sh
# container: loopback
cat /etc/passwd > /dev/null
curl -s -m 1 http://203.0.113.9/ || true
