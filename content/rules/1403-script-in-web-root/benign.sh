#!/bin/sh
mkdir -p /var/www/html
ln -s /usr/bin/python3 /tmp/nginx
/tmp/nginx -c 'open("/var/www/html/up.png", "w").write("x")'
