#!/bin/sh
echo x > /tmp/notes
chmod 644 /tmp/notes
