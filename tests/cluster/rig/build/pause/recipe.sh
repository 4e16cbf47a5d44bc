# shellcheck shell=bash
MODULE=tuningsweep.io/rig/pause
VERSION=v1
COMMANDS=(pause=.)
LDFLAGS=
