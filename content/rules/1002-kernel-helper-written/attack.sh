#!/bin/sh
# container: unmasked
# Opened to write, and nothing is written: the node keeps its value.
: >> /proc/sys/kernel/core_pattern
