#!/bin/sh
ssh -N -o ConnectTimeout=1 -R 8080:localhost:80 127.0.0.1 2>/dev/null || true
