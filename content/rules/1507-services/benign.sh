#!/bin/sh
mkdir -p /opt/app
echo '[app]' > /opt/app/x.conf
