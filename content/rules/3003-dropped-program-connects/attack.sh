#!/bin/sh
# container: loopback
cp /bin/nc.openbsd /tmp/update
/tmp/update -z -w 1 127.0.0.1 9 || true
