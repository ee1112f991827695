PROBE(called, int (*callback)(void *), int flags) {}
