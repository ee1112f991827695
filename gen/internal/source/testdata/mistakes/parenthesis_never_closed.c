PROBE(sent, int ret)
{
	if (get(ret < 0)
		return;
}

PROBE(received, struct sock *) {}
