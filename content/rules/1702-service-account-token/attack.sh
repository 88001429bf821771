#!/bin/sh
mkdir -p /run/secrets/kubernetes.io/serviceaccount
echo x > /run/secrets/kubernetes.io/serviceaccount/token
cat /run/secrets/kubernetes.io/serviceaccount/token > /dev/null
