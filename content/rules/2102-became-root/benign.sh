#!/bin/sh
setpriv --reuid=65534 --clear-groups id > /dev/null
