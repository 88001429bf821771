#!/bin/sh
uname -r > /dev/null
