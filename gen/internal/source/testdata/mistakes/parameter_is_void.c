PROBE(sent, void data, int ret) {}

PROBE(received, int ret, void) {}
