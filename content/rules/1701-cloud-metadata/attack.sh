#!/bin/sh
# container: loopback
curl -s -m 1 http://169.254.169.254/latest/ || true
