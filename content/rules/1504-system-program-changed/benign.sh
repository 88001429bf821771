#!/bin/sh
cp /bin/true /opt/tool
