PROBE(sent, int ret)
{
	if (ret < 0) {
		return;
}

PROBE(received, struct sock *) {}

struct _data_volume {
	__u64 size;
