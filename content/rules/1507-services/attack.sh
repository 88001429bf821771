#!/bin/sh
mkdir -p /etc/systemd/system
echo '[Unit]' > /etc/systemd/system/x.service
