/** What rows cost on disk for some hosts, while they are kept and in a year. Pure. */

export interface Rate {
  readonly table: string;
  readonly rowsPerHostDay: number;
  /** On disk, of everything in the table. */
  readonly bytesPerRow: number;
  /** Undefined: nothing goes by itself. */
  readonly keptDays: number | undefined;
}

export interface Forecast extends Rate {
  /** What one host holds once the oldest rows go; undefined where none do. */
  readonly bytesPerHost: number | undefined;
  /** The same of all hosts. */
  readonly bytes: number | undefined;
  /** What one host adds in a year, whatever goes meanwhile. */
  readonly bytesPerHostYear: number;
}

export function forecastOf(rate: Rate, hosts: number): Forecast {
  const bytesPerHostDay = rate.rowsPerHostDay * rate.bytesPerRow;
  const bytesPerHost = rate.keptDays === undefined ? undefined : bytesPerHostDay * rate.keptDays;
  return {
    ...rate,
    bytesPerHost,
    bytes: bytesPerHost === undefined ? undefined : bytesPerHost * hosts,
    bytesPerHostYear: bytesPerHostDay * 365,
  };
}
