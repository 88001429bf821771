#!/bin/sh
ldd /bin/true > /dev/null || true
/bin/true
