#!/bin/sh
nsenter --target 1 --mount true || true
