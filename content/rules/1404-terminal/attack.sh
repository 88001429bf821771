#!/bin/sh
script -qec 'sh -c true' /dev/null > /dev/null
