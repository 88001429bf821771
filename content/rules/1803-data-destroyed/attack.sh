#!/bin/sh
shred --version > /dev/null
