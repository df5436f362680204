/** Lag as a scrape sees it: what was last known, and older by the time since when anything waits. */
import { type Counter, Gauge, type GaugeConfiguration } from 'prom-client';

/** Age of the last batch when it was stored; while more waits, its age now. */
export class AgeGauge extends Gauge {
  readonly #isBehind: () => Promise<boolean>;
  #ageSeconds = 0;
  #setMs = performance.now();

  constructor(configuration: GaugeConfiguration<string>, isBehind: () => Promise<boolean>) {
    super(configuration);
    this.#isBehind = isBehind;
  }

  override set(ageSeconds: number | object): void {
    if (typeof ageSeconds !== 'number') return;
    this.#ageSeconds = ageSeconds;
    this.#setMs = performance.now();
    super.set(ageSeconds);
  }

  override async get(): ReturnType<Gauge['get']> {
    const sinceSeconds = (await this.#isBehind()) ? (performance.now() - this.#setMs) / 1000 : 0;
    super.set(this.#ageSeconds + sinceSeconds);
    return await super.get();
  }
}

export async function sumOf(metric: Counter<string> | Gauge<string>): Promise<number> {
  const { values } = await metric.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}
