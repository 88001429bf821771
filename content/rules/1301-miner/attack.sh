#!/bin/sh
ln -s /usr/bin/python3 /tmp/xmrig
/tmp/xmrig -c 'pass'
