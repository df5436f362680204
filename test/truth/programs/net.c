/* Links, addresses and routes through rtnetlink(7), so that a machine without ip(8) can make its networks. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"

struct request {
	struct nlmsghdr header;
	char bytes[1024];
};

static void *append(struct request *request, size_t length)
{
	char *at = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

	request->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + length);
	return at;
}

static struct rtattr *attribute(struct request *request, uint16_t type, const void *data, size_t length)
{
	struct rtattr *attribute = append(request, RTA_LENGTH(length));

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(length);
	if (length)
		memcpy(RTA_DATA(attribute), data, length);
	return attribute;
}

static void nest_end(struct request *request, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)((char *)request + request->header.nlmsg_len - (char *)nest);
}

static struct request request_of(uint16_t type, uint16_t flags)
{
	struct request request = { .header = { .nlmsg_len = NLMSG_HDRLEN,
					       .nlmsg_type = type,
					       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags } };
	return request;
}

static void ask(struct request *request)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), error = 0;
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char more[2048];
	} reply = { 0 };

	if (fd < 0 || send(fd, request, request->header.nlmsg_len, 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0)
		error = errno;
	else if (reply.header.nlmsg_type == NLMSG_ERROR)
		error = -reply.error.error;
	say_error(error);
	close(fd);
}

/* veth NAME PEER PID: the peer goes to the network namespace of that process. */
static void veth(int argc, char **argv)
{
	struct request request = request_of(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct rtattr *link, *data, *peer;
	uint32_t pid = (uint32_t)atoi(argv[3]);

	(void)argc;
	memset(append(&request, sizeof(struct ifinfomsg)), 0, sizeof(struct ifinfomsg));
	attribute(&request, IFLA_IFNAME, argv[1], strlen(argv[1]) + 1);
	link = attribute(&request, IFLA_LINKINFO, NULL, 0);
	attribute(&request, IFLA_INFO_KIND, "veth", 4);
	data = attribute(&request, IFLA_INFO_DATA, NULL, 0);
	peer = attribute(&request, VETH_INFO_PEER, NULL, 0);
	memset(append(&request, sizeof(struct ifinfomsg)), 0, sizeof(struct ifinfomsg));
	attribute(&request, IFLA_IFNAME, argv[2], strlen(argv[2]) + 1);
	attribute(&request, IFLA_NET_NS_PID, &pid, sizeof(pid));
	nest_end(&request, peer);
	nest_end(&request, data);
	nest_end(&request, link);
	ask(&request);
}

static void set_link(const char *name, bool up)
{
	struct request request = request_of(RTM_NEWLINK, 0);
	struct ifinfomsg *info = append(&request, sizeof(*info));

	memset(info, 0, sizeof(*info));
	info->ifi_index = (int)if_nametoindex(name);
	info->ifi_flags = up ? IFF_UP : 0;
	info->ifi_change = IFF_UP;
	ask(&request);
}

static void link_up(int argc, char **argv)
{
	(void)argc;
	set_link(argv[1], 1);
}

static void link_down(int argc, char **argv)
{
	(void)argc;
	set_link(argv[1], 0);
}

static size_t address_bytes(const char *text, uint8_t *family, void *bytes)
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(*family, text, bytes) != 1)
		die("no address");
	return *family == AF_INET6 ? 16 : 4;
}

/* address LINK ADDRESS PREFIX: usable at once, without duplicate address detection. */
static void add_address(int argc, char **argv)
{
	struct request request = request_of(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *info = append(&request, sizeof(*info));
	uint8_t bytes[16];
	size_t length;

	(void)argc;
	memset(info, 0, sizeof(*info));
	length = address_bytes(argv[2], &info->ifa_family, bytes);
	info->ifa_prefixlen = (uint8_t)atoi(argv[3]);
	info->ifa_flags = IFA_F_NODAD;
	info->ifa_index = if_nametoindex(argv[1]);
	attribute(&request, IFA_LOCAL, bytes, length);
	attribute(&request, IFA_ADDRESS, bytes, length);
	ask(&request);
}

/* route KIND ADDRESS PREFIX, for routes that refuse. */
static void add_route(int argc, char **argv)
{
	struct request request = request_of(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *info = append(&request, sizeof(*info));
	uint32_t loopback = if_nametoindex("lo");
	uint8_t bytes[16];
	size_t length;

	(void)argc;
	memset(info, 0, sizeof(*info));
	length = address_bytes(argv[2], &info->rtm_family, bytes);
	info->rtm_dst_len = (uint8_t)atoi(argv[3]);
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_scope = RT_SCOPE_UNIVERSE;
	info->rtm_type = !strcmp(argv[1], "prohibit")  ? RTN_PROHIBIT :
			 !strcmp(argv[1], "blackhole") ? RTN_BLACKHOLE :
							 RTN_UNREACHABLE;
	attribute(&request, RTA_DST, bytes, length);
	if (info->rtm_family == AF_INET6)
		attribute(&request, RTA_OIF, &loopback, sizeof(loopback));
	ask(&request);
}

/* datagram ADDRESS: one byte to a port where nobody listens, 43 bytes of Ethernet frame over IPv4. */
static void datagram(int argc, char **argv)
{
	union address address;
	socklen_t length = parse_address(argv[1], "9", &address);
	int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)argc;
	say_error(sendto(fd, "", 1, 0, &address.any, length) == 1 ? 0 : errno);
	close(fd);
}

const struct command net_commands[] = {
	{ "veth", "NAME PEER PID", veth },
	{ "up", "LINK", link_up },
	{ "down", "LINK", link_down },
	{ "address", "LINK ADDRESS PREFIX", add_address },
	{ "datagram", "ADDRESS", datagram },
	{ "route", "unreachable|prohibit|blackhole ADDRESS PREFIX", add_route },
	{ NULL, NULL, NULL },
};
