/** What every generated scenario has to keep to. */
import { expect } from 'chai';
import type { Scenario } from '../../targets/scenario.js';

/** Every text that a scenario would send or use as a path. */
const texts = (scenario: Scenario): string[] => {
  const found: string[] = [];
  JSON.stringify(scenario, (_, value: unknown) => {
    if (typeof value === 'string') found.push(value);
    return value;
  });
  return found;
};

const allowed = /^unix:\{channel [a-z0-9]+\}$|^tcp:127\.0\.0\.1(:[01])?$/i;

/** What a text may not hold. */
function fault(text: string): string | undefined {
  if (/^\/|exec:|file:|rdma:|vsock:|\.\.|~/i.test(text)) return text;
  const uris = text.match(/(unix|tcp):[^"]*/gi) ?? [];
  return uris.find((uri) => !allowed.test(uri));
}

/** No path of this machine, no program, no address beyond loopback. */
export function expectHarmless(scenario: Scenario): void {
  const faults = texts(scenario).filter((text) => fault(text) !== undefined);
  if (faults.length > 0) expect.fail(`it would use ${faults.join(', ')}`);
}
