PROBE(sent, int ret)
{
	bpf_printk("sent);
}

PROBE(received, char c) { return c == '; }
