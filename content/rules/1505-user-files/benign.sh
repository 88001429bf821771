#!/bin/sh
cat /etc/passwd > /dev/null
echo x > /tmp/passwd
