#!/bin/sh
echo line >> /var/log/app.log
cat /var/log/app.log > /dev/null
