#!/bin/sh
cp /bin/true /tmp/gone
rm /tmp/gone
