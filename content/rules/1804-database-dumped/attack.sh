#!/bin/sh
ln -s /usr/bin/python3 /tmp/mysqldump
/tmp/mysqldump -c 'pass'
