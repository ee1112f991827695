PROBE(sent, int ret)
{
	/* what it sends
}
