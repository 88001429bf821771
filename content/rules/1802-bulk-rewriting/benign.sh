#!/bin/sh
mkdir /srv/files
for number in 1 2 3 4 5; do echo x > "/srv/files/$number.txt"; done
for file in /srv/files/*.txt; do mv "$file" "$file.old"; done
