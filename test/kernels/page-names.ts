/** Names that docs/kernels.md has, and those of them that are no more. Pure. */

export interface PageNames {
  /** Programs, and what else the agent tells of as a capability. */
  readonly programs: readonly string[];
  readonly scenarios: readonly string[];
}

export function namesOn(page: string): PageNames {
  return { programs: firstCells(page, 'Programs'), scenarios: firstCells(page, 'Scenarios') };
}

/** One sentence for all that the page has and `there` does not; '' when there is nothing. */
export function goneFrom(page: string, there: PageNames): string {
  const on = namesOn(page);
  const gone = [
    ...on.programs.filter((name) => !there.programs.includes(name)),
    ...on.scenarios.filter((name) => !there.scenarios.includes(name)),
  ];
  return gone.length === 0
    ? ''
    : `docs/kernels.md tells of what is no more (${gone.join(', ')}): run \`make test-kernels\``;
}

/** Of the table below that heading, without its head. */
function firstCells(page: string, heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => (line.split(' | ')[0] ?? '').replace(/[|` ]/g, ''));
}
