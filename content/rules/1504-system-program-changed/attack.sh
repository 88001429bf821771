#!/bin/sh
cp /bin/true /usr/bin/updatedb
