#!/bin/sh
# container: loopback
nc.openbsd -z -w 1 127.0.0.1 3333 || true
