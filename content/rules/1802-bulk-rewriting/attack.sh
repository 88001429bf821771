#!/bin/sh
mkdir /srv/files
for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do echo x > "/srv/files/$number.txt"; done
for file in /srv/files/*.txt; do mv "$file" "$file.locked"; done
