#!/bin/sh
# container: mount /etc /host/etc
true
