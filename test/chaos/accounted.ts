/** What must hold of `completeness` after any number of kills, when all that was spooled is stored. */
import assert from 'node:assert/strict';

export interface Completeness {
  readonly host_id: string;
  readonly kernel_epoch: string;
  /** `<kernel epoch, µs>/<cpu>` */
  readonly place: string;
  readonly numbered: string;
  readonly rows: string;
  readonly failed: string;
  readonly folded: string;
  readonly filtered: string;
  readonly unspooled: string;
  readonly stored: string;
  readonly waiting: string;
  readonly parked: string;
  readonly lost: string;
  readonly doubled: string;
}

type Rows = <T>(query: string) => Promise<T[]>;

export async function readCompleteness(rows: Rows): Promise<Completeness[]> {
  return await rows<Completeness>(
    "SELECT *, concat(toString(toUnixTimestamp64Micro(kernel_epoch)), '/', toString(cpu)) AS place FROM completeness",
  );
}

/** `left`: place → last number that the kernel had given when its agent was gone, as the kernel itself says. */
export function assertComplete(found: readonly Completeness[], left: ReadonlyMap<string, number>): void {
  for (const row of found) {
    const text = JSON.stringify(row);
    for (const name of ['failed', 'unspooled', 'doubled', 'lost', 'parked', 'waiting'] as const)
      assert.equal(Number(row[name]), 0, `${name}: ${text}`);
    assert.equal(Number(row.stored), Number(row.rows), text);
    assert.equal(
      Number(row.numbered),
      [row.rows, row.folded, row.filtered].reduce((sum, count) => sum + Number(count), 0),
      text,
    );
    const number = left.get(row.place) ?? 0;
    assert.ok(Number(row.numbered) >= number, `${text}: the kernel had said ${number}`);
  }
  assert.ok(
    [...left.values()].some((number) => number > 0),
    'a killed agent left an account',
  );
}

/** No row stands in the table twice. */
export async function assertIdentities(rows: Rows): Promise<void> {
  const [total] = await rows<{ stored: string; identities: string }>(
    'SELECT count() AS stored, uniqExact(host_id, boot_id, kernel_epoch, cpu, seq) AS identities FROM tcp_events',
  );
  assert.equal(total?.stored, total?.identities);
  assert.ok(Number(total?.stored) > 1000, 'the load was recorded');
}
