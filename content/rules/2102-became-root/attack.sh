#!/bin/sh
cp /usr/bin/id /opt/up
chmod 4755 /opt/up
setpriv --reuid=65534 --clear-groups /opt/up > /dev/null
