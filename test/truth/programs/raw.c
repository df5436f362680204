/* Segments that no socket of this host sent, over IPv4: a peer that is not there. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#define __FAVOR_BSD
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct pseudo_header {
	uint32_t source, destination;
	uint8_t zero, protocol;
	uint16_t length;
	struct tcphdr tcp;
} __attribute__((packed));

static uint16_t checksum(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
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
	struct segment segment = { 0 };
	struct pseudo_header pseudo = { 0 };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), error = 0;

	if (argc != 8)
		return;
	parse_address(argv[1], argv[2], &source);
	parse_address(argv[3], argv[4], &destination);
	segment.ip = (struct iphdr){ .version = 4,
				     .ihl = 5,
				     .ttl = 64,
				     .protocol = IPPROTO_TCP,
				     .tot_len = htons(sizeof(segment)),
				     .saddr = source.v4.sin_addr.s_addr,
				     .daddr = destination.v4.sin_addr.s_addr };
	segment.tcp.th_sport = source.v4.sin_port;
	segment.tcp.th_dport = destination.v4.sin_port;
	segment.tcp.th_flags = flags_of(argv[5]);
	segment.tcp.th_seq = htonl((uint32_t)strtoul(argv[6], NULL, 10));
	segment.tcp.th_ack = htonl((uint32_t)strtoul(argv[7], NULL, 10));
	segment.tcp.th_off = 5;
	segment.tcp.th_win = htons(65535);
	pseudo.source = segment.ip.saddr;
	pseudo.destination = segment.ip.daddr;
	pseudo.protocol = IPPROTO_TCP;
	pseudo.length = htons(sizeof(segment.tcp));
	pseudo.tcp = segment.tcp;
	segment.tcp.th_sum = checksum(&pseudo, sizeof(pseudo));
	clock_before();
	if (fd < 0 || sendto(fd, &segment, sizeof(segment), 0, &destination.any, sizeof(destination.v4)) < 0)
		error = errno;
	clock_after();
	say_error(error);
	close(fd);
}

const struct command raw_commands[] = {
	{ "raw", "SOURCE PORT DESTINATION PORT FLAGS SEQ ACK", raw },
	{ NULL, NULL, NULL },
};
