PROBE(opened, char path[256], int flags) {}
