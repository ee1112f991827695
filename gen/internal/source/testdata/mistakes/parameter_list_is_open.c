PROBE(printed, const char *format, ...) {}
