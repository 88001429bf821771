#!/bin/sh
cp /bin/true /tmp/up
python3 - <<'END'
import os, struct
value = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
os.setxattr("/tmp/up", "security.capability", value)
END
