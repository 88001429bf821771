#!/bin/sh
# container: privileged
true
