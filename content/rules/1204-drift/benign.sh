#!/bin/sh
cp /bin/true /tmp/tool
/bin/true
