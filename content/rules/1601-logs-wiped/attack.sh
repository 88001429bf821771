#!/bin/sh
echo line > /var/log/auth.log
rm /var/log/auth.log
