PROBE(sent, struct sock *sk, int sk) {}
