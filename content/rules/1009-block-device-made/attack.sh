#!/bin/sh
mknod /tmp/disk b 8 1
