PROBE(sent, struct sock *, size_t, unsigned long, struct sock, const u64)
{
}
