#!/bin/sh
python3 -c 'pass'
