#!/bin/sh
echo hello | socat -u - /dev/null
