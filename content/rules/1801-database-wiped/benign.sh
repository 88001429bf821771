#!/bin/sh
mkdir -p /var/lib/mysql/shop
echo x > /var/lib/mysql/shop/1.tmp
rm /var/lib/mysql/shop/1.tmp
