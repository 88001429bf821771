#!/bin/sh
# container: mount /srv /srv
true
