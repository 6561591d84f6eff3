import os
import sys

import greeting

print(greeting.greet(sys.argv[1]), "from", sys.prefix, "as", os.getuid())
