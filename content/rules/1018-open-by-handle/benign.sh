#!/bin/sh
cat /etc/hostname > /dev/null
