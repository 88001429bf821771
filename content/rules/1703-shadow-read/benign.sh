#!/bin/sh
cat /etc/passwd > /dev/null
