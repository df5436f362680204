/* Segments that no socket of this host sent: a peer that is not there. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#define __FAVOR_BSD
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"

struct segment_v4 {
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct segment_v6 {
	struct ip6_hdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/* One's complement sum of 16-bit words. */
static uint32_t sum_of(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* `addresses`: the sum over both; protocol and length make up the rest of the pseudo header of either version. */
static uint16_t checksum(uint32_t addresses, const struct tcphdr *tcp)
{
	uint32_t sum = addresses + IPPROTO_TCP + sizeof(*tcp) + sum_of(tcp, sizeof(*tcp));

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int send_raw(int family, const void *segment, size_t length, const union address *to, socklen_t to_length)
{
	int fd = socket(family, SOCK_RAW, IPPROTO_RAW), error = 0;

	clock_before();
	if (fd < 0 || sendto(fd, segment, length, 0, &to->any, to_length) < 0)
		error = errno;
	clock_after();
	close(fd);
	return error;
}

static int send_v4(const union address *source, const union address *destination, struct tcphdr tcp)
{
	struct segment_v4 segment = { .ip = { .version = 4,
					      .ihl = 5,
					      .ttl = 64,
					      .protocol = IPPROTO_TCP,
					      .tot_len = htons(sizeof(segment)),
					      .saddr = source->v4.sin_addr.s_addr,
					      .daddr = destination->v4.sin_addr.s_addr } };

	tcp.th_sum = checksum(sum_of(&segment.ip.saddr, 8), &tcp);
	segment.tcp = tcp;
	return send_raw(AF_INET, &segment, sizeof(segment), destination, sizeof(destination->v4));
}

static int send_v6(const union address *source, const union address *destination, struct tcphdr tcp)
{
	struct segment_v6 segment = { .ip = { .ip6_src = source->v6.sin6_addr, .ip6_dst = destination->v6.sin6_addr } };
	union address to = *destination;

	segment.ip.ip6_flow = htonl(6U << 28);
	segment.ip.ip6_plen = htons(sizeof(tcp));
	segment.ip.ip6_nxt = IPPROTO_TCP;
	segment.ip.ip6_hlim = 64;
	tcp.th_sum = checksum(sum_of(&segment.ip.ip6_src, 32), &tcp);
	segment.tcp = tcp;
	/* Of a raw socket the port is the protocol, if anything. */
	to.v6.sin6_port = 0;
	return send_raw(AF_INET6, &segment, sizeof(segment), &to, sizeof(to.v6));
}

static uint8_t flags_of(const char *letters)
{
	uint8_t flags = 0;

	for (; *letters; letters++) {
		flags |= *letters == 'S' ? TH_SYN : *letters == 'A' ? TH_ACK : *letters == 'R' ? TH_RST : 0;
		flags |= *letters == 'F' ? TH_FIN : *letters == 'P' ? TH_PUSH : 0;
	}
	return flags;
}

/* raw SOURCE PORT DESTINATION PORT FLAGS SEQ ACK, flags of the letters S A R F P. */
static void raw(int argc, char **argv)
{
	union address source, destination;
	struct tcphdr tcp = { 0 };
	bool v6 = argc > 1 && strchr(argv[1], ':');

	if (argc != 8)
		return;
	parse_address(argv[1], argv[2], &source);
	parse_address(argv[3], argv[4], &destination);
	tcp.th_sport = htons((uint16_t)atoi(argv[2]));
	tcp.th_dport = htons((uint16_t)atoi(argv[4]));
	tcp.th_flags = flags_of(argv[5]);
	tcp.th_seq = htonl((uint32_t)strtoul(argv[6], NULL, 10));
	tcp.th_ack = htonl((uint32_t)strtoul(argv[7], NULL, 10));
	tcp.th_off = 5;
	tcp.th_win = htons(65535);
	say_error(v6 ? send_v6(&source, &destination, tcp) : send_v4(&source, &destination, tcp));
}

const struct command raw_commands[] = {
	{ "raw", "SOURCE PORT DESTINATION PORT FLAGS SEQ ACK", raw },
	{ NULL, NULL, NULL },
};
