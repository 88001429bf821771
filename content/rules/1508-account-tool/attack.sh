#!/bin/sh
useradd --help > /dev/null
