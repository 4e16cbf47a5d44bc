"""The commands, a module a group: options and help here, the work in modules of its own, loaded when it is needed."""
