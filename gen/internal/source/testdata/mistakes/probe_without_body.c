PROBE(sent, struct sock *sk);
