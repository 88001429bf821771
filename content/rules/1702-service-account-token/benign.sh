#!/bin/sh
mkdir -p /run/secrets/kubernetes.io/serviceaccount
echo x > /run/secrets/kubernetes.io/serviceaccount/token
python3 -c 'open("/run/secrets/kubernetes.io/serviceaccount/token").read()'
