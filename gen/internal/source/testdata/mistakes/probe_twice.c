PROBE(sent, struct sock *sk) {}

PROBE(sent, struct sock *sk, int ret) {}

DECIDE(sent, struct __sk_buff *skb) {}
