PROBE(sent, struct sock *sk,, int ret,) {}
