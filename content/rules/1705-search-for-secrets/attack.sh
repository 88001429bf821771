#!/bin/sh
find /root -name id_rsa
