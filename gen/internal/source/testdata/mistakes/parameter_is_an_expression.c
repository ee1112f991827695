PROBE(sent, int ret = 0, sizeof(int) n) {}
