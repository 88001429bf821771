#!/bin/sh
mkfifo /tmp/pipe
(cat /tmp/pipe > /dev/null) &
echo x > /tmp/pipe
wait
