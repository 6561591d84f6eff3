#!/bin/sh
# Adds up its arguments.
sum=0
for number in "$@"; do sum=$((sum + number)); done
echo "$sum"
