#!/bin/sh
# Says what it was asked to do.
echo "$(cat "$APP_HOME/release"): $*"
