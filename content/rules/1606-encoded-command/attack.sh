#!/bin/sh
sh -c 'echo dHJ1ZQ== | base64 -d | cat' > /dev/null
