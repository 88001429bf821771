#!/bin/sh
ln -s /usr/bin/python3 /tmp/kubectl
/tmp/kubectl -c 'pass'
