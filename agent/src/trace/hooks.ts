/**
 * What is attached to the kernel, one row a purpose. Which of it works is found by loading it, never by version.
 *
 * `variants`: programs of bpf/ for one purpose, best first; one of them runs.
 */
export interface Hook {
  readonly variants: readonly [Variant, ...Variant[]];
  /** Without it there is no agent. */
  readonly core?: true;
  /** Runs once, read through a file descriptor, rather than on an event. */
  readonly iterator?: true;
}

export interface Variant {
  readonly program: string;
  /** Evidence that is missing without it (without all better ones, this one too). */
  readonly cost: string;
}

export const HOOKS: readonly Hook[] = [
  { core: true, variants: [{ program: 'state_process', cost: 'all events in process context' }] },
  { core: true, variants: [{ program: 'state_softirq', cost: 'all events in softirq context' }] },
  {
    variants: [{ program: 'destroy', cost: 'a close whose state change the kernel skipped is not reported' }],
  },
  {
    variants: [
      { program: 'retransmit_err', cost: 'retransmissions that failed on this host' },
      { program: 'retransmit', cost: 'retransmissions and their causes' },
    ],
  },
  { variants: [{ program: 'retransmit_synack', cost: 'retransmissions of SYN-ACKs' }] },
  { variants: [{ program: 'receive_reset', cost: 'some resets received are told by the error alone' }] },
  {
    variants: [
      { program: 'send_reset', cost: "resets sent by the kernel's timers count as ordinary closes" },
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
    iterator: true,
    variants: [{ program: 'scan_listeners', cost: 'owners of servers that started before the agent' }],
  },
  {
    iterator: true,
    variants: [{ program: 'scan_connections', cost: 'owners and roles of connections older than the agent' }],
  },
];
