#!/bin/sh
# container: loopback
nc.openbsd -z -w 1 127.0.0.1 8080 || true
