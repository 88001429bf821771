#!/bin/sh
ls /usr/bin/apt-get > /dev/null
