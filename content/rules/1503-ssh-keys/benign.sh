#!/bin/sh
mkdir -p /root/.ssh
echo host > /root/.ssh/known_hosts
