#!/bin/sh
pkill -x bulwark-sensor || true
