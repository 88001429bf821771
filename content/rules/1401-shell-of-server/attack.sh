#!/bin/sh
ln -s /usr/bin/python3 /tmp/nginx
/tmp/nginx -c 'import os; os.system("true")'
