PROBE(sent, struct sock *sk, int ret
{
}

PROBE(received, struct sock *) {}
