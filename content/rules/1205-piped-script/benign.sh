#!/bin/sh
curl -s file:///etc/hostname | cat > /dev/null
