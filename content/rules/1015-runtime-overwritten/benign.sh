#!/bin/sh
echo '#!/bin/sh' > /tmp/run
