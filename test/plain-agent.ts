/** What the agent adds to an event of which it knows nothing more, for `encodeEvent`; made anew, as tests change it. */
export const plainAgent = () => ({
  clock_offset_us: 0,
  peer_name: new Uint8Array(),
  peer_name_source: 0,
  peer_translated_address: new Uint32Array(4),
  peer_translated_port: 0,
  owner: 0,
  own: false,
  reset_reason: new Uint8Array(),
  connections: 1,
  folded: 0,
  rtt_histogram: [],
});
