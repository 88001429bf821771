#!/bin/sh
curl --version > /dev/null
