#!/bin/sh
head -c 1 /dev/zero > /dev/null
head -c 1 /dev/urandom > /dev/null
