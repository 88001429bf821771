#!/bin/sh
# container: caps CAP_SYS_PTRACE
true
