#!/bin/sh
# container: loopback
curl -s -m 1 http://127.0.0.1:8080/ || true
