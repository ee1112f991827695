PROBE(struct sock *sk, int ret)
{
}

PROBE() {}

DECIDE(, struct __sk_buff *skb) {}

PROBE
