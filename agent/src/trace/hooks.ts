/**
 * What is attached to the kernel, one row a purpose. Which of it works is found by loading it, never by version.
 *
 * `variants`: programs of bpf/ for one purpose, best first; one of them runs.
 */
export interface Hook {
  readonly variants: readonly [Variant, ...Variant[]];
  /** Without it there is no agent. */
  readonly core?: true;
  /** Does what that program was skipped for; attached after it. */
  readonly spareOf?: string;
  /** How it runs; absent: whenever its tracepoint does. */
  readonly runs?: Runs;
}

/**
 * `cgroup`: on calls of every process, attached to the root of cgroup v2. `scan`: once at the start, read through a
 * file descriptor. `watch`: so again and again, over the elements of a map.
 */
export type Runs = 'cgroup' | 'scan' | { readonly watch: string };

export interface Variant {
  readonly program: string;
  /** Evidence that is missing without it (without all better ones, this one too). */
  readonly cost: string;
}

export const HOOKS: readonly Hook[] = [
  { core: true, variants: [{ program: 'state', cost: 'every connection' }] },
  {
    spareOf: 'state',
    variants: [{ program: 'state_spare', cost: 'state changes that interrupt another one on their CPU' }],
  },
  {
    variants: [
      {
        program: 'destroy',
        cost: 'a close whose state change the kernel skipped, and the last connect() that found no route',
      },
    ],
  },
  {
    runs: 'cgroup',
    variants: [{ program: 'connect4', cost: 'connects over IPv4 that fail before a SYN (no route)' }],
  },
  {
    runs: 'cgroup',
    variants: [{ program: 'connect6', cost: 'connects over IPv6 that fail before a SYN (no route)' }],
  },
  {
    variants: [
      { program: 'retransmit_err', cost: 'retransmissions that failed on this host' },
      { program: 'retransmit', cost: 'retransmissions and their causes' },
    ],
  },
  {
    variants: [
      { program: 'retransmit_synack', cost: 'retransmissions of SYN-ACKs, and handshakes left half open' },
    ],
  },
  {
    variants: [
      { program: 'receive_reset', cost: 'resets received, but for the verdict where an error tells' },
    ],
  },
  {
    variants: [
      { program: 'send_reset_reason', cost: 'reasons of resets sent, and resets that have no socket' },
      { program: 'send_reset', cost: "resets sent; those of the kernel's timers count as ordinary closes" },
    ],
  },
  {
    variants: [{ program: 'first_read', cost: 'a server process that reads is not told from its listener' }],
  },
  {
    variants: [
      { program: 'first_send', cost: 'sends are seen by the dearer sock_send_length' },
      {
        program: 'first_send_length',
        cost: 'a server process that only writes is not told from its listener',
      },
    ],
  },
  {
    runs: 'scan',
    variants: [{ program: 'scan_listeners', cost: 'owners of servers that started before the agent' }],
  },
  {
    runs: 'scan',
    variants: [{ program: 'scan_connections', cost: 'owners and roles of connections older than the agent' }],
  },
  {
    runs: { watch: 'connections' },
    variants: [
      { program: 'watch_sockets', cost: 'updates, listeners, and connections that are open and quiet' },
    ],
  },
  {
    runs: { watch: 'handshakes' },
    variants: [{ program: 'watch_handshakes', cost: 'handshakes left half open' }],
  },
];
