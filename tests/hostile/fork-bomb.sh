#!/bin/sh
# Multiplies.
count=0
while [ "$count" -lt 40 ]; do
  (exec sleep 20) &
  count=$((count + 1))
done
echo holding
wait
