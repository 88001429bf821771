#!/bin/sh
ssh -V 2>/dev/null
