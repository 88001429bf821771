#!/bin/sh
echo true > /tmp/script
curl -s file:///tmp/script | sh
