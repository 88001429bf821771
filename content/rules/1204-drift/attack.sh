#!/bin/sh
cp /bin/true /tmp/tool
/tmp/tool
