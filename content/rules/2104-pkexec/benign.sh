#!/bin/sh
su --version > /dev/null
