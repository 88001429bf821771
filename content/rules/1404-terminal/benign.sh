#!/bin/sh
sh -c true
