#!/bin/sh
apt-get --version > /dev/null
