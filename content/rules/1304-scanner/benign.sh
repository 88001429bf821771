#!/bin/sh
ip address > /dev/null
