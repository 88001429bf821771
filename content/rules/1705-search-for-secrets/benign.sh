#!/bin/sh
find /root -name notes.txt
