#!/bin/sh
# Leaves a file where the agent keeps its own.
echo planted >"$OUTSIDE/planted"
