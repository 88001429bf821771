#!/bin/sh
bash -c 'exec 3<>/dev/tcp/127.0.0.1/4444' 2>/dev/null || true
