/* struct tcp_info as of Linux 6.7; the C library's may be older. A kernel that knows less says so by the length. */
#ifndef TCP_INFO_H
#define TCP_INFO_H

#include <stddef.h>
#include <stdint.h>

struct full_tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscales, app_limited_and_fail;
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
};

struct info_field {
	const char *name;
	size_t offset, size;
};

#define F(field) { #field, offsetof(struct full_tcp_info, field), sizeof(((struct full_tcp_info *)0)->field) }

static const struct info_field info_fields[] = {
	F(state),	   F(ca_state),	       F(retransmits),
	F(probes),	   F(backoff),	       F(options),
	F(rto),		   F(ato),	       F(snd_mss),
	F(rcv_mss),	   F(unacked),	       F(sacked),
	F(lost),	   F(retrans),	       F(pmtu),
	F(rtt),		   F(rttvar),	       F(snd_ssthresh),
	F(snd_cwnd),	   F(advmss),	       F(rcv_rtt),
	F(rcv_space),	   F(total_retrans),   F(bytes_acked),
	F(bytes_received), F(segs_out),	       F(segs_in),
	F(notsent_bytes),  F(min_rtt),	       F(data_segs_in),
	F(data_segs_out),  F(delivery_rate),   F(busy_time),
	F(rwnd_limited),   F(sndbuf_limited),  F(delivered),
	F(delivered_ce),   F(bytes_sent),      F(bytes_retrans),
	F(dsack_dups),	   F(reord_seen),      F(rcv_ooopack),
	F(snd_wnd),	   F(rcv_wnd),	       F(total_rto),
	F(total_rto_recoveries), F(total_rto_time), { NULL, 0, 0 },
};

#undef F

#endif
