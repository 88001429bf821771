#!/bin/sh
unshare --user true || true
