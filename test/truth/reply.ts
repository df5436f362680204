/** What an actor says: one object a command. Times are µs since the epoch, read by the actor around its call. */

export interface Bracket {
  readonly before: number;
  readonly after: number;
}

/** TCP_INFO, names without `tcpi_`; absent what this kernel does not have. */
export type TcpInfo = Readonly<Record<string, number>>;

export interface Reply extends Bracket {
  /** 0 = the call succeeded. */
  readonly errno: number;
  readonly fd: number;
  readonly cookie: number;
  readonly bytes: number;
  /** The peer's FIN was read. */
  readonly end: number;
  readonly local_address: string;
  readonly local_port: number;
  readonly peer_address: string;
  readonly peer_port: number;
  readonly info?: TcpInfo;
  readonly congestion_control?: string;
  readonly status: number;
  readonly output: string;
  readonly ready: number;
  readonly one: number;
  readonly other: number;
  readonly sockets: readonly Reply[];
  readonly unknown?: string;
}

/** A process as it knows itself, and what /proc says of its parent. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  /** Hundredths of a second since boot. */
  readonly start_ticks: number;
  readonly comm: string;
  /** Text of /proc/self/cgroup. */
  readonly cgroups: string;
  readonly executable: string;
  readonly parent_executable: string;
  readonly network_namespace: number;
  /** Folder of the cgroup v2 that the suite gave it, and its id; 0 = none. */
  readonly cgroup_path: string;
  readonly cgroup_id: number;
}
