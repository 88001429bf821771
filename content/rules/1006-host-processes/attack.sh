#!/bin/sh
# container: host-pid
true
