// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * forge group|kernel ACTION DEVPATH SUBSYSTEM - an event that the kernel did not
 * make, as root can send it: straight to the group, or by way of the kernel,
 * which passes it on under its own address (uevent_net_rcv_skb() in
 * lib/kobject_uevent.c).
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlmsghdr *h;
	static char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	char *text = buf;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT), by_kernel, n;

	if (argc != 5 || fd < 0)
		return 2;
	by_kernel = !strcmp(argv[1], "kernel");
	if (by_kernel)
		text += NLMSG_HDRLEN;
	else
		to.nl_groups = 1;
	n = snprintf(text, sizeof(buf) - NLMSG_HDRLEN, "%s@%s%cACTION=%s%cDEVPATH=%s%cSUBSYSTEM=%s%cSEQNUM=1", argv[2],
		     argv[3], 0, argv[2], 0, argv[3], 0, argv[4], 0);
	if (n < 0 || n >= 2000)
		return 2;
	n++;
	if (by_kernel) {
		h = (struct nlmsghdr *)buf;
		h->nlmsg_len = NLMSG_LENGTH((unsigned int)n);
		h->nlmsg_type = NLMSG_MIN_TYPE;
		h->nlmsg_flags = NLM_F_REQUEST;
		n = (int)h->nlmsg_len;
	}
	if (sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&to, sizeof(to)) != n) {
		perror("forge");
		return 1;
	}
	return 0;
}
