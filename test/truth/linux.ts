/** Numbers of Linux that scenarios speak of: socket options as [level, name], error numbers. */

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;

export const SO_REUSEADDR = [SOL_SOCKET, 2] as const;
export const SO_SNDBUF = [SOL_SOCKET, 7] as const;
export const SO_RCVBUF = [SOL_SOCKET, 8] as const;
export const SO_KEEPALIVE = [SOL_SOCKET, 9] as const;
export const SO_OOBINLINE = [SOL_SOCKET, 10] as const;
export const SO_REUSEPORT = [SOL_SOCKET, 15] as const;
export const TCP_NODELAY = [IPPROTO_TCP, 1] as const;
export const TCP_MAXSEG = [IPPROTO_TCP, 2] as const;
export const TCP_KEEPIDLE = [IPPROTO_TCP, 4] as const;
export const TCP_KEEPINTVL = [IPPROTO_TCP, 5] as const;
export const TCP_KEEPCNT = [IPPROTO_TCP, 6] as const;
export const TCP_SYNCNT = [IPPROTO_TCP, 7] as const;
export const TCP_LINGER2 = [IPPROTO_TCP, 8] as const;
export const TCP_CONGESTION = [IPPROTO_TCP, 13] as const;
export const TCP_USER_TIMEOUT = [IPPROTO_TCP, 18] as const;
export const TCP_FASTOPEN = [IPPROTO_TCP, 23] as const;

export const EPIPE = 32;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETUNREACH = 101;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTUNREACH = 113;
export const EINPROGRESS = 115;
export const EACCES = 13;
