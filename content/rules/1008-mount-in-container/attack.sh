#!/bin/sh
mount -t proc proc /mnt || true
