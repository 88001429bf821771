#!/bin/sh
ln -s /usr/bin/python3 '/tmp/[kworker]'
'/tmp/[kworker]' -c 'pass'
